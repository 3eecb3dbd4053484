package ingestion_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/hybrid"
	"github.com/knobot/knobot/services/rag/internal/ingestion"
	"github.com/knobot/knobot/services/rag/internal/postgres"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

// earlier is the index as a program with another version of the analyser makes it.
type earlier struct {
	*hybrid.Index
	analyzer string
}

func (e *earlier) Spec() rag.IndexSpec { return rag.IndexSpec{Analyzer: e.analyzer} }

// aged is a store in which replaced indexes have waited long enough.
type aged struct{ *postgres.Store }

func (a aged) GarbageTenants(ctx context.Context, _ time.Duration) ([]rag.Tenant, error) {
	return a.Store.GarbageTenants(ctx, 0)
}

func TestAnotherAnalyser(t *testing.T) {
	t.Parallel()

	type bundle struct {
		*ragtest.Bundle
		earlier *earlier
		library *ingestion.Library
		keeper  *ingestion.Keeper
	}
	// What an earlier program has left; the bundle's own program has not run yet.
	setup := func(t *testing.T) *bundle {
		t.Helper()
		b := &bundle{Bundle: ragtest.New(t)}
		b.earlier = &earlier{b.Index, "t" + uuid.NewString()[:8]}
		b.library, b.keeper = ingestion.New(b.Store, b.earlier, b.Files, b.Analyzer, zaptest.NewLogger(t))
		for i := range 10 {
			_, _, err := b.library.Add(t.Context(), upload(fmt.Sprintf("%d.md", i), fmt.Sprintf("Artículo número %d.", i)))
			require.NoError(t, err)
		}
		require.NoError(t, b.keeper.Inspect(t.Context()))
		require.Equal(t, b.earlier.Spec(), placement(t, b.Bundle).IndexSpec)
		t.Cleanup(func() { _ = b.Index.DropEmpty(context.Background(), b.earlier.Spec()) })
		return b
	}

	t.Run("IsServedByTheOldIndexUntilTheNewOneIsCompleteAlsoOverARestart", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		answers := func(program *ragtest.Bundle) {
			require.Equal(t, b.earlier.Spec(), placement(t, b.Bundle).IndexSpec)
			require.Equal(t, []string{"Artículo número 7."}, texts(t, program, "7"))
		}
		ctx, cancel := context.WithCancel(t.Context())
		newer, puts := b.Restarted(t, nil), 0
		answers(newer)
		_, keeper := ingestion.New(b.Store, &interrupted{b.Index, func() {
			answers(newer)
			if puts++; puts == 5 {
				cancel()
			}
		}}, b.Files, b.Analyzer, zaptest.NewLogger(t))
		require.Error(t, keeper.Inspect(ctx))
		kb, err := b.Store.KnowledgeBase(t.Context(), "default")
		require.NoError(t, err)
		require.True(t, kb.Reindexing)
		require.Equal(t, 4, kb.ReindexedCount)

		again := b.Restarted(t, nil)
		answers(again)
		_, keeper = ingestion.New(b.Store, &interrupted{b.Index, func() { answers(again); puts++ }}, b.Files, b.Analyzer, zaptest.NewLogger(t))
		require.NoError(t, keeper.Inspect(t.Context()))
		require.Equal(t, 5+6, puts, "what was filled in is not filled in again")
		place := placement(t, b.Bundle)
		require.Equal(t, b.Index.Spec(), place.IndexSpec)
		require.Zero(t, place.Next)
		n, err := b.Index.Count(t.Context(), place.Live())
		require.NoError(t, err)
		require.Equal(t, 10, n)
		require.Equal(t, []string{"Artículo número 7."}, texts(t, again, "7"))
		require.Equal(t, []string{"Artículo número 7."}, texts(t, b.Bundle, "7"), "by a program that has run on, too")
	})

	t.Run("TakesDocumentsMeanwhile", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		newer, first := b.Restarted(t, nil), true
		_, keeper := ingestion.New(b.Store, &interrupted{b.Index, func() {
			if first {
				first = false
				newer.Add(t, "7.md", "Vendemos cometas.")
				require.Equal(t, []string{"Vendemos cometas."}, texts(t, newer, "cometas"))
				require.NotContains(t, texts(t, newer, "artículo"), "Artículo número 7.")
			}
		}}, b.Files, b.Analyzer, zaptest.NewLogger(t))
		require.NoError(t, keeper.Inspect(t.Context()))
		require.Equal(t, b.Index.Spec(), placement(t, b.Bundle).IndexSpec)
		require.Equal(t, []string{"Vendemos cometas."}, texts(t, newer, "cometas"))
		require.NotContains(t, texts(t, newer, "artículo"), "Artículo número 7.")
	})

	t.Run("LeavesNothingOfTheOldIndex", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		old := placement(t, b.Bundle).Live()
		_, keeper := ingestion.New(aged{b.Store}, b.Index, b.Files, b.Analyzer, zaptest.NewLogger(t))
		require.NoError(t, keeper.Inspect(t.Context()))
		_, err := b.Index.Count(t.Context(), old)
		require.ErrorIs(t, err, weaviate.ErrMissing)
		garbage, err := b.Store.GarbageTenants(t.Context(), 0)
		require.NoError(t, err)
		require.Empty(t, garbage)
	})

	t.Run("OfAnEarlierProgramWritesNothingAnyMore", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		require.NoError(t, b.Keeper.Inspect(t.Context()))
		_, _, err := b.library.Add(t.Context(), upload("b.md", "Vendemos cometas."))
		require.Equal(t, "INDEX_OF_ANOTHER_PROGRAM", fault.ReasonOf(err))
		require.NoError(t, b.keeper.Inspect(t.Context()))
		require.Equal(t, b.Index.Spec(), placement(t, b.Bundle).IndexSpec, "the one started last decides")
	})

	t.Run("NeedsNoSecondIndexWhereNothingIs", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		require.NoError(t, b.Store.ClaimSpec(t.Context(), rag.IndexSpec{Analyzer: "t0"}))
		b.Add(t, "a.md", "Vendemos cometas.")
		require.Equal(t, rag.Placement{KnowledgeBase: kbOf(t, b), Passages: 1, IndexSpec: b.Index.Spec()}, placement(t, b))
	})
}
