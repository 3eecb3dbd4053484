// Package retrieval finds the passages that serve a question: a keyword search in the index, and a vector search beside it
// where there are embeddings, checked against PostgreSQL, with a measure of how much of the question each passage covers.
package retrieval

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/telemetry"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/analysis"
	"github.com/knobot/knobot/services/rag/internal/hybrid"
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
	// Remembered returns what Statistics returned earlier, if that is known for all stems.
	Remembered(knowledgeBase string, stems []string) (rag.Statistics, bool)
	// Passages leaves out every id that belongs to no current document of the knowledge base. It returns the revision of the
	// knowledge base, as Statistics does.
	Passages(ctx context.Context, kb rag.KnowledgeBaseID, ids []rag.PassageID) (map[rag.PassageID]rag.Passage, string, error)
}

// Index finds entries.
type Index interface {
	// Search returns weaviate.ErrMissing if there is nothing to search, else weaviate.ErrUnavailable.
	Search(ctx context.Context, in rag.Tenant, expression string, limit int) ([]weaviate.Match, error)
	// Embeds tells whether a tenant has vectors that a question's can be compared with.
	Embeds(in rag.Tenant) bool
	// Bearing is a question's vector, nil where there is none.
	Bearing(ctx context.Context, text string) *hybrid.Bearing
	// Near returns the entries nearest to a question, with their cosines.
	Near(ctx context.Context, in rag.Tenant, b *hybrid.Bearing, limit int) ([]weaviate.Match, error)
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
	log      *zap.Logger
}

// New returns a searcher.
func New(store Store, index Index, keeper Keeper, analyzer *analysis.Analyzer, log *zap.Logger) *Searcher {
	return &Searcher{store: store, index: index, keeper: keeper, analyzer: analyzer, log: log}
}

// Result is what a search found.
type Result struct {
	// Question is the text analysed; without terms nothing was searched.
	Question Question
	// Hits are the passages, best first.
	Hits []rag.Hit
}

// Confidence is that of the best passage.
func (r Result) Confidence() float64 {
	if len(r.Hits) == 0 {
		return 0
	}
	return r.Hits[0].Confidence
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
	ctx, span := telemetry.Start(ctx, "search")
	defer span.End()
	analysed := s.analyzer.Question(text)
	bearing := s.begin(ctx, analysed, text)
	stems := analysed.Stems()
	if remembered, ok := s.store.Remembered(knowledgeBase, stems); ok {
		result, err := s.find(ctx, remembered, analysed, bearing, topK)
		if !errors.Is(err, errOutdated) {
			return result, err
		}
	}
	statistics, err := s.store.Statistics(ctx, knowledgeBase, stems)
	if err != nil {
		return Result{}, err
	}
	return s.find(ctx, statistics, analysed, bearing, topK)
}

// errOutdated says that the knowledge base has changed since what is remembered of it was read.
var errOutdated = errors.New("what is remembered is outdated")

// find searches by statistics. It returns errOutdated if they are remembered and not right any more.
func (s *Searcher) find(ctx context.Context, by rag.Statistics, analysed analysis.Question, bearing func() *hybrid.Bearing, topK int) (Result, error) {
	question := weigh(analysed, by)
	if len(analysed.Terms) == 0 || by.Passages == 0 {
		return Result{Question: question}, nil
	}
	if err := s.keeper.Check(ctx, by.Tenant, by.Passages); err != nil {
		return Result{}, orOutdated(by, err)
	}
	hits, err := s.ranked(ctx, by, question, &ask{searcher: s, bearing: bearing, expression: analysed.Expression(by.Knows)}, topK)
	if err == nil && (len(hits) == 0 || hits[0].Coverage < wellCovered) {
		everything := analysed.Expression(func(string) bool { return false })
		hits, err = s.ranked(ctx, by, question, &ask{searcher: s, bearing: bearing, expression: everything}, topK)
	}
	if err != nil {
		return Result{}, err
	}
	trace.SpanFromContext(ctx).SetAttributes(attribute.Int("knobot.passages", min(len(hits), topK)))
	return Result{Question: question, Hits: hits[:min(len(hits), topK)]}, nil
}

// orOutdated doubts what is remembered before the index.
func orOutdated(by rag.Statistics, err error) error {
	if by.Remembered {
		return errOutdated
	}
	return err
}

// wellCovered is how much of a question its best passage covers that was found by stems: below, the pieces of all words are asked
// for too, which is worth its cost only there.
const wellCovered = 0.75

// ranked returns what the index finds of an expression, best first.
func (s *Searcher) ranked(ctx context.Context, in rag.Statistics, q Question, a *ask, topK int) ([]rag.Hit, error) {
	hits, bearing, err := s.live(ctx, in, a, topK)
	if err != nil {
		return nil, err
	}
	rank(hits, q, bearing)
	return hits, nil
}

// candidates is how many entries are looked at first: more than are wanted, because coverage changes their order.
func candidates(topK int) int { return 2*topK + 10 }

// live searches until topK passages of current documents are found, or there are no more.
func (s *Searcher) live(ctx context.Context, in rag.Statistics, a *ask, topK int) ([]rag.Hit, *hybrid.Bearing, error) {
	for limit := candidates(topK); ; limit *= 4 {
		found := a.search(ctx, in.Tenant, limit)
		if found.err != nil {
			return nil, nil, s.failure(in, found.err)
		}
		hits, err := s.current(ctx, in, found)
		if err != nil {
			return nil, nil, err
		}
		exhausted := len(found.words) < limit && len(found.near) < limit
		if len(hits) >= topK || exhausted || limit >= maxCandidates {
			return hits, found.bearing, nil
		}
	}
}

// current turns what was found into hits, without those that no current document holds.
func (s *Searcher) current(ctx context.Context, in rag.Statistics, f found) ([]rag.Hit, error) {
	scores, cosines, ids := byPassage(f)
	passages, revision, err := s.store.Passages(ctx, in.KnowledgeBase, ids)
	if err != nil {
		return nil, err
	}
	if in.Remembered && revision != in.Revision {
		return nil, errOutdated
	}
	hits := make([]rag.Hit, 0, len(passages))
	for _, id := range ids {
		if p, ok := passages[id]; ok {
			hits = append(hits, rag.Hit{Passage: p, Score: scores[id], Cosine: cosines[id]})
		}
	}
	return hits, nil
}

// byPassage brings both lists together; ids has each passage once.
func byPassage(f found) (scores, cosines map[rag.PassageID]float64, ids []rag.PassageID) {
	scores, cosines = make(map[rag.PassageID]float64, len(f.words)), make(map[rag.PassageID]float64, len(f.near))
	for _, m := range f.words {
		scores[m.Passage] = m.Score
		ids = append(ids, m.Passage)
	}
	for _, m := range f.near {
		cosines[m.Passage] = m.Score
		if _, both := scores[m.Passage]; !both {
			ids = append(ids, m.Passage)
		}
	}
	return scores, cosines, ids
}

func (s *Searcher) failure(in rag.Statistics, err error) error {
	if errors.Is(err, weaviate.ErrMissing) {
		if in.Remembered {
			return errOutdated
		}
		s.keeper.Lost(in.Tenant)
	}
	return fault.New(fault.Unavailable, "INDEX_UNAVAILABLE", "the search index cannot be asked now, try again").WithCause(err)
}
