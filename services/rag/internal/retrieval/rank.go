package retrieval

import (
	"cmp"
	"math"
	"slices"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/hybrid"
)

const (
	// coverageWeight is what coverage adds to the keyword score, of which the best is 1. Measured: it puts the right passage
	// first for 1 to 2 % more of the questions; with half of it, synonyms say too little.
	coverageWeight = 0.8
	// vectorWeight is the vectors' share where there are any. Measured with weak models, 0.25 to 0.5 did not hurt a strong
	// keyword list, and Weaviate's own 0.75 did.
	vectorWeight = 0.3
	// precision is to how much of a unit two hits are told apart: what is closer is rounding in the index.
	precision = 1e5
)

// rank fills in the hits' coverage and confidence and puts the best first.
func rank(hits []rag.Hit, question Question, bearing *hybrid.Bearing) {
	for i := range hits {
		hits[i].Coverage = question.Coverage(hits[i].Stems)
		hits[i].Confidence = hits[i].Coverage
		if bearing != nil {
			hits[i].Confidence = max(hits[i].Coverage, bearing.Likeness(hits[i].Cosine))
		}
	}
	words := keywords(hits)
	worth := words
	if bearing != nil {
		worth = fused(hits, words)
	}
	slices.SortFunc(hits, func(a, b rag.Hit) int {
		// Of equal ones the first in reading order, whatever the ids are: ingesting again must not change an answer.
		return cmp.Or(cmp.Compare(rounded(worth(b)), rounded(worth(a))), cmp.Compare(a.DocumentName, b.DocumentName), cmp.Compare(a.Ordinal, b.Ordinal))
	})
}

func rounded(worth float64) float64 { return math.Round(worth * precision) }

// keywords is the worth of a hit by its words.
func keywords(hits []rag.Hit) func(rag.Hit) float64 {
	best := 0.0
	for _, h := range hits {
		best = max(best, h.Score)
	}
	return func(h rag.Hit) float64 {
		score := 0.0
		if best > 0 {
			score = h.Score / best
		}
		return score + coverageWeight*h.Coverage
	}
}

// fused adds where a hit's cosine stands between the least and the greatest. Words count as much as the best passage covers
// of the question: where the words of a paraphrase stand nowhere, a chance match of one of them is worth little, though it is
// the best there is.
func fused(hits []rag.Hit, words func(rag.Hit) float64) func(rag.Hit) float64 {
	covered, least, greatest := 0.0, math.Inf(1), math.Inf(-1)
	for _, h := range hits {
		covered = max(covered, h.Coverage)
		if h.Cosine != 0 {
			least, greatest = min(least, h.Cosine), max(greatest, h.Cosine)
		}
	}
	near := func(h rag.Hit) float64 {
		switch {
		case h.Cosine == 0:
			return 0 // farther than all that were returned
		case greatest-least < 1/precision:
			return 1
		}
		return (h.Cosine - least) / (greatest - least)
	}
	return func(h rag.Hit) float64 {
		return (1-vectorWeight)*covered*words(h)/(1+coverageWeight) + vectorWeight*near(h)
	}
}
