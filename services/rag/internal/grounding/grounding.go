// Package grounding tells whether what a model says stands in its sources. It looks at what can be checked word by word and
// does harm when it is invented: numbers, times, codes, phone numbers, e-mail addresses, links and the marks that cite a
// source. It does not judge the words between them, nor numbers that are written as words.
package grounding

import (
	"regexp"
	"strconv"
	"strings"
)

// Sources are the texts that an answer may rest on.
type Sources struct {
	count  int
	facts  map[string]bool
	phones []string
}

// NewSources returns sources for an answer that cites them as [1], [2] and so on in this order.
func NewSources(texts ...string) *Sources {
	s := &Sources{count: len(texts), facts: map[string]bool{}}
	for _, text := range texts {
		r := read(text)
		for _, f := range r.facts {
			for _, reading := range f.readings() {
				s.facts[reading] = true
			}
			if f.kind == phone || f.kind == number && len(f.value) >= leastPhone {
				s.phones = append(s.phones, f.value)
			}
		}
	}
	return s
}

// Allow lets the numbers, times and codes of a text be repeated, as those of a customer's own question. Links and addresses
// are not among them: who asks could have an answer carry them.
func (s *Sources) Allow(text string) *Sources {
	for _, f := range read(text).facts {
		switch f.kind {
		case number, clock, code:
			for _, reading := range f.readings() {
				s.facts[reading] = true
			}
		}
	}
	return s
}

// Holds reports whether everything in a text that can be checked stands in the sources.
func (s *Sources) Holds(text string) bool { return len(s.Missing(text)) == 0 }

// Missing returns what stands in a text and in no source, as written, in its order.
func (s *Sources) Missing(text string) []string {
	var missing []string
	r := read(text)
	for _, m := range r.marks {
		if n, err := strconv.Atoi(m); err != nil || n < 1 || n > s.count {
			missing = append(missing, "["+m+"]")
		}
	}
	for _, f := range r.facts {
		if !s.hold(f) {
			missing = append(missing, f.written)
		}
	}
	return missing
}

func (s *Sources) hold(f fact) bool {
	if s.facts[f.value] {
		return true
	}
	switch {
	case f.kind == clock: // "9:00" where the source says "9"
		hour, whole := strings.CutSuffix(f.value, ":00")
		return whole && s.facts[hour]
	case f.kind == phone || f.kind == number && len(f.value) >= leastPhone:
		for _, p := range s.phones { // without the country's or the city's digits
			if len(f.value) >= leastPhone && strings.HasSuffix(p, f.value) {
				return true
			}
		}
	}
	return false
}

// kind is what a fact is.
type kind int

const (
	link kind = iota
	email
	phone
	clock
	code
	number
)

// leastPhone is how many digits a phone number has at least.
const leastPhone = 7

// fact is something that can be checked.
type fact struct {
	kind kind
	// value is the same for all ways of writing it.
	value   string
	written string
}

// readings are the values that a fact of a source may be quoted by.
func (f fact) readings() []string {
	out := []string{f.value}
	switch f.kind {
	case clock:
		hour, _, _ := strings.Cut(f.value, ":")
		out = append(out, hour)
	case code, phone:
		for _, digits := range digitRuns.FindAllString(f.written, -1) {
			out = append(out, plain(digits))
		}
	case number: // "2 300" may be two numbers
		if strings.Contains(f.written, " ") {
			for part := range strings.FieldsSeq(f.written) {
				out = append(out, plain(part))
			}
		}
	}
	return out
}

var digitRuns = regexp.MustCompile(`[0-9]+`)
