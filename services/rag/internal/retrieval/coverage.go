package retrieval

import (
	"math"
	"slices"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/analysis"
)

// Question is a question whose words are weighed by how rare they are in the knowledge base.
type Question struct {
	terms []weighed
	total float64
}

type weighed struct {
	analysis.Term
	weight float64
	// known words stand in a passage of the knowledge base, so they are not mistyped.
	known bool
}

// unknownName is how much more a name weighs that stands in no passage: whoever asks for the capital of France is not
// answered by a passage on capitals. Measured: it lets more unanswerable questions be told apart, and costs no answer.
const unknownName = 2

// presumed is how many further passages, about something else, a knowledge base is taken to have. In one of a few passages a
// word that stands in all of them would weigh next to nothing and one that stands in none nearly everything, so that the
// only document would hardly cover any question. In one of hundreds it changes nothing.
const presumed = 50

// weigh gives every term its inverse document frequency, as BM25 does.
func weigh(q analysis.Question, s rag.Statistics) Question {
	out := Question{terms: make([]weighed, len(q.Terms))}
	n := float64(s.Passages + presumed)
	for i, term := range q.Terms {
		df := float64(s.Counts[term.Stem])
		for _, other := range term.Synonyms {
			df = max(df, float64(s.Counts[other]))
		}
		weight := math.Log(1 + (n-df+0.5)/(df+0.5))
		if term.Name && df == 0 {
			weight *= unknownName
		}
		out.terms[i] = weighed{Term: term, weight: weight, known: s.Counts[term.Stem] > 0}
		out.total += weight
	}
	return out
}

// Words is the number of different content words.
func (q Question) Words() int { return len(q.terms) }

// Coverage is the weight of the question's words that stand among the stems, as a share of the weight of all. A word of which
// only a synonym stands there counts a little less, and one that only resembles one there, as a mistyped one does, by its
// likeness.
func (q Question) Coverage(stems []string) float64 {
	if q.total == 0 {
		return 0
	}
	var covered float64
	for _, term := range q.terms {
		if slices.Contains(stems, term.Stem) {
			covered += term.weight
			continue
		}
		alike := meant(term.Synonyms, stems)
		if !term.known {
			alike = max(alike, closest(term.Stem, stems))
		}
		covered += term.weight * alike
	}
	return covered / q.total
}

// sameMeaning is how much a synonym counts: it may be meant in another of its meanings.
const sameMeaning = 0.9

// meant is sameMeaning if any of the synonyms is present, else 0.
func meant(synonyms, stems []string) float64 {
	for _, s := range synonyms {
		if slices.Contains(stems, s) {
			return sameMeaning
		}
	}
	return 0
}

// closest is the likeness of the stem most like word, 0 if none is like enough to be the same word mistyped.
func closest(word string, stems []string) float64 {
	best := 0.0
	for _, s := range stems {
		best = max(best, analysis.Likeness(word, s))
	}
	return best
}
