// Package retrieval finds the passages that serve a question: a keyword search in the index, checked against PostgreSQL,
// with a measure of how much of the question each passage covers.
package retrieval

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/analysis"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

// Bounds of a search.
const (
	DefaultTopK = 5
	MaxTopK     = 20
	// maxCandidates is where looking for live passages among dead ones ends.
	maxCandidates = 2_000
)

// Store says what is current.
type Store interface {
	// Statistics returns NotFound for an unknown knowledge base.
	Statistics(ctx context.Context, knowledgeBase string, stems []string) (rag.Statistics, error)
	// Passages leaves out every id that belongs to no current document of the knowledge base.
	Passages(ctx context.Context, kb rag.KnowledgeBaseID, ids []rag.PassageID) (map[rag.PassageID]rag.Passage, error)
}

// Index finds entries.
type Index interface {
	// Search returns weaviate.ErrMissing if there is nothing to search, else weaviate.ErrUnavailable.
	Search(ctx context.Context, in rag.Tenant, expression string, limit int) ([]weaviate.Match, error)
}

// Keeper knows whether the index holds what it should.
type Keeper interface {
	// Check returns Unavailable while a tenant's entries are incomplete.
	Check(ctx context.Context, tenant rag.Tenant, passages int) error
	// Lost reports that a tenant's entries were missing.
	Lost(tenant rag.Tenant)
}

// Searcher finds passages. It is safe for concurrent use.
type Searcher struct {
	store    Store
	index    Index
	keeper   Keeper
	analyzer *analysis.Analyzer
}

// New returns a searcher.
func New(store Store, index Index, keeper Keeper, analyzer *analysis.Analyzer) *Searcher {
	return &Searcher{store: store, index: index, keeper: keeper, analyzer: analyzer}
}

// Result is what a search found.
type Result struct {
	// Question is the text analysed; without terms nothing was searched.
	Question Question
	// Hits are the passages, best first.
	Hits []rag.Hit
}

// Confidence is the coverage of the best passage.
func (r Result) Confidence() float64 {
	if len(r.Hits) == 0 {
		return 0
	}
	return r.Hits[0].Coverage
}

// CheckTopK returns Invalid for a number of passages that nobody can ask for.
func CheckTopK(n int) error {
	if n < 1 || n > MaxTopK {
		return fault.New(fault.Invalid, "TOP_K", "top_k must be between 1 and 20")
	}
	return nil
}

// Search returns the topK passages that serve a question best. It returns Invalid for a topK out of bounds, NotFound for
// an unknown knowledge base and Unavailable while the index cannot be asked or is being filled again.
func (s *Searcher) Search(ctx context.Context, knowledgeBase, text string, topK int) (Result, error) {
	if err := CheckTopK(topK); err != nil {
		return Result{}, err
	}
	analysed := s.analyzer.Question(text)
	statistics, err := s.store.Statistics(ctx, knowledgeBase, analysed.Stems())
	if err != nil {
		return Result{}, err
	}
	question := weigh(analysed, statistics)
	if analysed.Text == "" || statistics.Passages == 0 {
		return Result{Question: question}, nil
	}
	if err := s.keeper.Check(ctx, statistics.Tenant, statistics.Passages); err != nil {
		return Result{}, err
	}
	hits, err := s.live(ctx, statistics, analysed.Text, topK)
	if err != nil {
		return Result{}, err
	}
	rank(hits, question)
	return Result{Question: question, Hits: hits[:min(len(hits), topK)]}, nil
}

// coverageWeight is what coverage adds to the keyword score, of which the best is 1. Measured: it puts the right passage
// first for 1 to 2 % more of the questions, and more does not help.
const coverageWeight = 0.4

// precision is to how much of a unit two hits are told apart: what is closer is rounding in the index.
const precision = 1e5

// rank fills in the hits' coverage and puts the best first.
func rank(hits []rag.Hit, question Question) {
	if len(hits) == 0 {
		return
	}
	best := hits[0].Score
	for i := range hits {
		hits[i].Coverage = question.Coverage(hits[i].Stems)
	}
	worth := func(h rag.Hit) float64 { return math.Round((h.Score/best + coverageWeight*h.Coverage) * precision) }
	slices.SortStableFunc(hits, func(a, b rag.Hit) int {
		// Of equal ones the first in reading order, whatever the ids are: ingesting again must not change an answer.
		return cmp.Or(cmp.Compare(worth(b), worth(a)), cmp.Compare(a.DocumentName, b.DocumentName), cmp.Compare(a.Ordinal, b.Ordinal))
	})
}

// live searches until topK passages of current documents are found, or there are no more.
func (s *Searcher) live(ctx context.Context, in rag.Statistics, expression string, topK int) ([]rag.Hit, error) {
	for limit := 2*topK + 10; ; limit *= 4 {
		matches, err := s.index.Search(ctx, in.Tenant, expression, limit)
		if err != nil {
			return nil, s.failure(in.Tenant, err)
		}
		hits, err := s.current(ctx, in.KnowledgeBase, matches)
		if err != nil {
			return nil, err
		}
		if len(hits) >= topK || len(matches) < limit || limit >= maxCandidates {
			return hits, nil
		}
	}
}

// current turns matches into hits, best first, without those that no current document holds.
func (s *Searcher) current(ctx context.Context, kb rag.KnowledgeBaseID, matches []weaviate.Match) ([]rag.Hit, error) {
	slices.SortStableFunc(matches, func(a, b weaviate.Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Passage, b.Passage))
	})
	ids := make([]rag.PassageID, len(matches))
	for i, m := range matches {
		ids[i] = m.Passage
	}
	passages, err := s.store.Passages(ctx, kb, ids)
	if err != nil {
		return nil, err
	}
	hits := make([]rag.Hit, 0, len(passages))
	for _, m := range matches {
		if p, ok := passages[m.Passage]; ok {
			hits = append(hits, rag.Hit{Passage: p, Score: m.Score})
		}
	}
	return hits, nil
}

func (s *Searcher) failure(in rag.Tenant, err error) error {
	if errors.Is(err, weaviate.ErrMissing) {
		s.keeper.Lost(in)
	}
	return fault.New(fault.Unavailable, "INDEX_UNAVAILABLE", "the search index cannot be asked now, try again").WithCause(err)
}
