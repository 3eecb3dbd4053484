package postgres

import (
	"context"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"

	rag "github.com/knobot/knobot/services/rag"
)

// Every change of what can be found writes the knowledge base's row, so xmin, the transaction that wrote it last, is a revision.
const selectStatistics = `
select k.id, k.passage_count, k.index_generation, k.index_analyzer, k.index_model, k.xmin::text, c.stem, c.passages
from knowledge_bases k
left join stem_counts c on c.knowledge_base_id = k.id and c.stem = any($2)
where k.name = $1 and k.delete_time is null`

// Statistics returns what weighs the stems of a question, and remembers it. Returns NotFound if there is no such knowledge base.
func (s *Store) Statistics(ctx context.Context, knowledgeBase string, stems []string) (rag.Statistics, error) {
	out := rag.Statistics{Counts: make(map[string]int, len(stems))}
	rows, err := s.pool.Query(ctx, selectStatistics, knowledgeBase, notNil(stems))
	if err != nil {
		return rag.Statistics{}, failure(err)
	}
	var stem *string
	var count *int
	var place rag.Placement
	into := []any{&place.KnowledgeBase, &out.Passages, &place.Generation, &place.Analyzer, &place.Model, &out.Revision, &stem, &count}
	tag, err := pgx.ForEachRow(rows, into, func() error {
		if stem != nil && count != nil {
			out.Counts[*stem] = *count
		}
		return nil
	})
	if isAbsent(err) || err == nil && tag.RowsAffected() == 0 {
		err = noKnowledgeBase()
	}
	out.KnowledgeBase, out.Tenant = place.KnowledgeBase, place.Live()
	if err == nil {
		s.known.add(knowledgeBase, stems, out)
	}
	return out, failure(err)
}

// Remembered returns what Statistics returned for the stems, if it was asked for all of them since the knowledge base last was
// known to change. Whether it has changed since tells the revision that Passages returns.
func (s *Store) Remembered(knowledgeBase string, stems []string) (rag.Statistics, bool) {
	return s.known.get(knowledgeBase, stems)
}

const (
	// keptStatistics is of how many knowledge bases statistics are kept in memory.
	keptStatistics = 64
	// keptCounts is of how many stems of one, some 50 bytes each.
	keptCounts = 20_000
)

// known is what is remembered of knowledge bases, by name.
type known struct {
	mu    sync.Mutex
	bases *lru.Cache[string, rag.Statistics]
}

func newKnown() *known {
	bases, err := lru.New[string, rag.Statistics](keptStatistics)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &known{bases: bases}
}

// add keeps the counts of stems. An empty knowledge base is not kept: nothing is looked for there that would tell of a change.
func (k *known) add(name string, stems []string, fresh rag.Statistics) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if fresh.Passages == 0 {
		k.bases.Remove(name)
		return
	}
	kept, ok := k.bases.Get(name)
	if !ok || kept.Revision != fresh.Revision || kept.KnowledgeBase != fresh.KnowledgeBase || len(kept.Counts)+len(stems) > keptCounts {
		kept = fresh
		kept.Counts = make(map[string]int, len(stems))
	}
	for _, stem := range stems {
		kept.Counts[stem] = fresh.Counts[stem]
	}
	k.bases.Add(name, kept)
}

func (k *known) get(name string, stems []string) (rag.Statistics, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	out, ok := k.bases.Get(name)
	if !ok {
		return rag.Statistics{}, false
	}
	counts := make(map[string]int, len(stems))
	for _, stem := range stems {
		count, ok := out.Counts[stem]
		if !ok {
			return rag.Statistics{}, false
		}
		if count > 0 {
			counts[stem] = count
		}
	}
	out.Counts, out.Remembered = counts, true
	return out, true
}
