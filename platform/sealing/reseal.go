package sealing

import (
	"cmp"
	"slices"
)

// Report says which keys seal the stored secrets.
type Report struct {
	Keys []Key
	// ReSealed is how many were sealed again just now, Unreadable how many no key opens.
	ReSealed, Unreadable int
}

// Key is a key that seals secrets, by Tink's id.
type Key struct {
	ID uint32
	// Primary is set for the key that seals new secrets, Known for those that the service has.
	Primary, Known bool
	// Secrets is how many it sealed.
	Secrets int
}

// Outdated returns how many secrets another key than the primary one sealed.
func (r Report) Outdated() int {
	n := 0
	for _, k := range r.Keys {
		if !k.Primary {
			n += k.Secrets
		}
	}
	return n
}

// ReSealing is one run over all stored secrets: the last step of a rotation of keys.
type ReSealing struct {
	sealer    *Sealer
	countOnly bool
	counts    map[uint32]int
	out       Report
}

// NewReSealing begins one; with countOnly nothing is sealed. The sealer is nil where there is no keyset: no secret opens then.
func NewReSealing(s *Sealer, countOnly bool) *ReSealing {
	r := &ReSealing{sealer: s, countOnly: countOnly, counts: map[uint32]int{}}
	if s != nil {
		for _, id := range s.keys {
			r.counts[id] = 0
		}
	}
	return r
}

// Take counts a secret by its key. One that opens and that another key than the primary one sealed it seals again and returns, to
// be stored; else it returns nil.
func (r *ReSealing) Take(sealed []byte, id, field string) (again []byte, err error) {
	key := keyOf(sealed)
	secret, readable := r.open(sealed, id, field)
	switch {
	case !readable:
		r.out.Unreadable++
	case key != r.sealer.primary && !r.countOnly:
		if again, err = r.sealer.Seal(secret, id, field); err != nil {
			return nil, err
		}
		r.out.ReSealed++
		key = r.sealer.primary
	}
	r.counts[key]++
	return again, nil
}

func (r *ReSealing) open(sealed []byte, id, field string) (secret string, readable bool) {
	if r.sealer == nil {
		return "", false
	}
	secret, err := r.sealer.Open(sealed, id, field)
	return secret, err == nil
}

// Report returns what was noted, the keys in the order of their ids.
func (r *ReSealing) Report() Report {
	out := r.out
	for id, n := range r.counts {
		known := r.sealer != nil && slices.Contains(r.sealer.keys, id)
		out.Keys = append(out.Keys, Key{ID: id, Primary: known && id == r.sealer.primary, Known: known, Secrets: n})
	}
	slices.SortFunc(out.Keys, func(a, b Key) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
