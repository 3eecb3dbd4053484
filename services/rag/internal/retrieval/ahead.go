package retrieval

import (
	"context"
	"sync"

	"go.uber.org/zap"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/hybrid"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

// ahead is a search of the index that begins before it is certain what is searched: the tenant is that which the
// knowledge base had last, and is checked meanwhile.
type ahead struct {
	searcher   *Searcher
	expression string
	tenant     rag.Tenant
	limit      int
	begun      chan found
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

// begin embeds the question and searches, both beside the caller.
func (s *Searcher) begin(ctx context.Context, name, expression, text string, limit int) *ahead {
	a := &ahead{searcher: s, expression: expression, limit: limit}
	if expression == "" {
		return a
	}
	a.bearing = sync.OnceValue(func() *hybrid.Bearing { return s.index.Bearing(ctx, text) })
	if last, ok := s.tenants.Load(name); ok {
		a.tenant, _ = last.(rag.Tenant)
		a.begun = make(chan found, 1)
		go func() { a.begun <- a.search(ctx, a.tenant, limit) }()
	}
	return a
}

// find returns what was begun if it was the right thing, else searches now.
func (a *ahead) find(ctx context.Context, in rag.Tenant, limit int) found {
	if a.begun != nil && a.tenant == in && a.limit == limit {
		return <-a.begun
	}
	return a.search(ctx, in, limit)
}

// search asks for words and neighbours side by side. Without the neighbours the words have to do.
func (a *ahead) search(ctx context.Context, in rag.Tenant, limit int) found {
	near := make(chan neighbours, 1)
	go func() { near <- a.near(ctx, in, limit) }()
	words, err := a.searcher.index.Search(ctx, in, a.expression, limit)
	if err != nil {
		return found{err: err}
	}
	return found{words: words, neighbours: <-near}
}

func (a *ahead) near(ctx context.Context, in rag.Tenant, limit int) neighbours {
	if !a.searcher.index.Embeds(in) {
		return neighbours{}
	}
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
