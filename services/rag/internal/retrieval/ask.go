package retrieval

import (
	"context"
	"sync"

	"go.uber.org/zap"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/analysis"
	"github.com/knobot/knobot/services/rag/internal/hybrid"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

// ask is a question to the index.
type ask struct {
	searcher   *Searcher
	expression string
	// bearing waits for the question's vector.
	bearing func() *hybrid.Bearing
}

// found is what the index returned.
type found struct {
	words []weaviate.Match
	neighbours
	err error
}

// neighbours are what lies near the question; without a bearing none were looked for.
type neighbours struct {
	near    []weaviate.Match
	bearing *hybrid.Bearing
}

// begin embeds the question beside the caller, who calls what it returns for the vector.
func (s *Searcher) begin(ctx context.Context, q analysis.Question, text string) func() *hybrid.Bearing {
	if len(q.Terms) == 0 {
		return func() *hybrid.Bearing { return nil }
	}
	bearing := sync.OnceValue(func() *hybrid.Bearing { return s.index.Bearing(ctx, text) })
	go bearing()
	return bearing
}

// search asks for words and neighbours side by side. Without the neighbours the words have to do.
func (a *ask) search(ctx context.Context, in rag.Tenant, limit int) found {
	if !a.searcher.index.Embeds(in) {
		words, err := a.searcher.index.Search(ctx, in, a.expression, limit)
		return found{words: words, err: err}
	}
	near := make(chan neighbours, 1)
	go func() { near <- a.near(ctx, in, limit) }()
	words, err := a.searcher.index.Search(ctx, in, a.expression, limit)
	if err != nil {
		return found{err: err}
	}
	return found{words: words, neighbours: <-near}
}

func (a *ask) near(ctx context.Context, in rag.Tenant, limit int) neighbours {
	bearing := a.bearing()
	if bearing == nil {
		return neighbours{}
	}
	matches, err := a.searcher.index.Near(ctx, in, bearing, limit)
	if err != nil {
		if ctx.Err() == nil {
			a.searcher.log.Warn("no neighbours found, searching by keyword", zap.Error(err))
		}
		return neighbours{}
	}
	return neighbours{near: matches, bearing: bearing}
}
