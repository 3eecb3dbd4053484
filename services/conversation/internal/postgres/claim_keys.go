package postgres

import (
	"context"
	"crypto/sha256"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/services/conversation"
)

// key is an event's name within its integration.
type key struct {
	integration conversation.IntegrationID
	digest      [sha256.Size]byte
}

func (it *item) key() key { return key{it.Arrival.Event.Integration, it.digest} }

// keyed reports whether a repeat of the event can be told. Events of foreign numbers are not ours to tell.
func (it *item) keyed() bool { return it.Key != "" && it.ForeignNumber == "" }

// claim keeps the payloads and claims the keys, and so learns what is new. Everything goes in one round trip.
func (in *intake) claim(ctx context.Context) error {
	b := in.tx.Begin()
	in.claimPayloads(b)
	in.claimKeys(b)
	b.Queue(in.store.sql.get("intake_begin")).QueryRow(func(row pgx.Row) error { return row.Scan(&in.now, &in.subscribed) })
	if !in.changesIdentities() {
		in.people.find(b)
	}
	if err := in.tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	if err := in.owners(ctx); err != nil {
		return err
	}
	for _, it := range in.items {
		switch {
		case it.ForeignNumber != "":
			it.outcome = conversation.OutcomeForeignNumber
		case !it.fresh:
			it.outcome, it.why = conversation.OutcomeDuplicate, ""
		}
	}
	return nil
}

func (in *intake) claimPayloads(b *pgx.Batch) {
	first := map[[sha256.Size]byte]*received{}
	var digests, bodies [][]byte
	var logs []string
	for _, d := range in.deliveries {
		if d.Continued {
			continue
		}
		if earlier, ok := first[d.digest]; ok {
			d.duplicateOf = earlier.Log
			continue
		}
		first[d.digest] = d
		digests, logs, bodies = append(digests, d.digest[:]), append(logs, string(d.Log)), append(bodies, d.Payload)
	}
	if len(digests) == 0 {
		return
	}
	b.Queue(in.store.sql.get("payloads_keep"), digests, logs, bodies).Query(func(rows pgx.Rows) error {
		var digest []byte
		_, err := pgx.ForEachRow(rows, []any{&digest}, func() error {
			first[[sha256.Size]byte(digest)].newPayload = true
			return nil
		})
		return err
	})
}

func (in *intake) claimKeys(b *pgx.Batch) {
	first := map[key]*item{}
	var integrations, logs []string
	var digests [][]byte
	for _, it := range in.items {
		if !it.keyed() {
			it.fresh = it.ForeignNumber == ""
			continue
		}
		if _, ok := first[it.key()]; ok {
			continue
		}
		first[it.key()] = it
		integrations = append(integrations, string(it.key().integration))
		digests, logs = append(digests, it.digest[:]), append(logs, string(it.log))
	}
	if len(digests) == 0 {
		return
	}
	b.Queue(in.store.sql.get("keys_claim"), integrations, digests, logs).Query(func(rows pgx.Rows) error {
		var integration conversation.IntegrationID
		var digest []byte
		_, err := pgx.ForEachRow(rows, []any{&integration, &digest}, func() error {
			first[key{integration, [sha256.Size]byte(digest)}].fresh = true
			return nil
		})
		return err
	})
}

// owners finds what the repeats repeat. Nothing is asked where all is new, which is nearly always.
func (in *intake) owners(ctx context.Context) error {
	var payloads []*received
	var rebatched []*received
	for _, d := range in.deliveries {
		switch {
		case d.Continued || d.duplicateOf != "":
		case !d.newPayload:
			payloads = append(payloads, d)
		case d.duplicate():
			rebatched = append(rebatched, d)
		}
	}
	if err := in.payloadOwners(ctx, payloads); err != nil {
		return err
	}
	return in.keyOwners(ctx, rebatched)
}

func (in *intake) payloadOwners(ctx context.Context, repeats []*received) error {
	if len(repeats) == 0 {
		return nil
	}
	byDigest := map[[sha256.Size]byte]*received{}
	var digests [][]byte
	for _, d := range repeats {
		byDigest[d.digest] = d
		digests = append(digests, d.digest[:])
	}
	rows, err := in.tx.Query(ctx, in.store.sql.get("payloads_owner"), digests)
	if err != nil {
		return err
	}
	var digest []byte
	var log string
	_, err = pgx.ForEachRow(rows, []any{&digest, &log}, func() error {
		byDigest[[sha256.Size]byte(digest)].duplicateOf = conversation.LogID(log)
		return nil
	})
	return err
}

// keyOwners is for repeats that the provider packed anew: other bytes, known events.
func (in *intake) keyOwners(ctx context.Context, repeats []*received) error {
	if len(repeats) == 0 {
		return nil
	}
	byKey := map[key][]*received{}
	var integrations []string
	var digests, payloads [][]byte
	for _, d := range repeats {
		k := d.items[0].key()
		byKey[k] = append(byKey[k], d)
		integrations, digests = append(integrations, string(k.integration)), append(digests, k.digest[:])
		payloads = append(payloads, d.digest[:])
	}
	if _, err := in.tx.Exec(ctx, in.store.sql.get("payloads_repeat"), payloads); err != nil {
		return err
	}
	rows, err := in.tx.Query(ctx, in.store.sql.get("keys_owner"), integrations, digests)
	if err != nil {
		return err
	}
	var k key
	var digest []byte
	var log string
	_, err = pgx.ForEachRow(rows, []any{&k.integration, &digest, &log}, func() error {
		k.digest = [sha256.Size]byte(digest)
		for _, d := range byKey[k] {
			if conversation.LogID(log) != d.Log {
				d.duplicateOf = conversation.LogID(log)
			}
		}
		return nil
	})
	return err
}
