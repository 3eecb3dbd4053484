package ingestion_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/ingestion"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

func placement(t *testing.T, b *ragtest.Bundle) rag.Placement {
	t.Helper()
	p, err := b.Store.Placement(t.Context(), kbOf(t, b))
	require.NoError(t, err)
	return p
}

func TestReindex(t *testing.T) {
	t.Parallel()

	t.Run("ReplacesTheIndexAndAnswersMeanwhile", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		b.AddShop(t)
		question := "garantía de bicicletas"
		before := texts(t, b, question)
		require.NoError(t, b.Library.Reindex(t.Context(), "default"))
		_, keeper := ingestion.New(b.Store, &interrupted{b.Index, func() {
			require.Equal(t, before, texts(t, b, question))
			require.Zero(t, placement(t, b).Generation)
		}}, b.Files, b.Analyzer, zaptest.NewLogger(t))
		require.NoError(t, keeper.Inspect(t.Context()))
		require.Equal(t, rag.Placement{
			KnowledgeBase: kbOf(t, b), Passages: placement(t, b).Passages, Generation: 1, IndexSpec: b.Index.Spec(),
		}, placement(t, b))
		require.Equal(t, before, texts(t, b, question))
		n, err := b.Index.Count(t.Context(), kbOf(t, b).Tenant(1, b.Index.Spec()))
		require.NoError(t, err)
		require.Equal(t, placement(t, b).Passages, n)
		kb, err := b.Store.KnowledgeBase(t.Context(), "default")
		require.NoError(t, err)
		require.False(t, kb.Reindexing)
	})

	t.Run("CuresWhatCountingDoesNotSee", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		b.Add(t, "a.md", "El envío cuesta $5.")
		// An entry of another version in the place of the document's own: as many as there should be.
		kb := kbOf(t, b)
		versions, err := b.Store.ActiveVersions(t.Context(), kb)
		require.NoError(t, err)
		require.NoError(t, b.Index.DeleteVersion(t.Context(), kb.Tenant(0, b.Index.Spec()), versions[0]))
		require.NoError(t, b.Index.Put(t.Context(), kb.Tenant(0, b.Index.Spec()), []weaviate.Entry{{
			Passage: "22222222-2222-4222-8222-222222222222", Version: "11111111-1111-4111-8111-111111111111", Stems: "x", Pieces: "x",
		}}))
		require.NoError(t, b.Keeper.Inspect(t.Context()))
		require.Empty(t, texts(t, b, "envío"))
		require.NoError(t, b.Library.Reindex(t.Context(), "default"))
		require.NoError(t, b.Keeper.Inspect(t.Context()))
		require.Equal(t, []string{"El envío cuesta $5."}, texts(t, b, "envío"))
	})

	t.Run("GoesOnAfterARestart", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		for i := range 10 {
			b.Add(t, fmt.Sprintf("%d.md", i), fmt.Sprintf("Artículo número %d.", i))
		}
		require.NoError(t, b.Library.Reindex(t.Context(), "default"))
		ctx, cancel := context.WithCancel(t.Context())
		puts := 0
		_, keeper := ingestion.New(b.Store, &interrupted{b.Index, func() {
			if puts++; puts == 5 {
				cancel()
			}
		}}, b.Files, b.Analyzer, zaptest.NewLogger(t))
		require.Error(t, keeper.Inspect(ctx))
		kb, err := b.Store.KnowledgeBase(t.Context(), "default")
		require.NoError(t, err)
		require.True(t, kb.Reindexing)
		require.Equal(t, 4, kb.ReindexedCount)
		puts = 100
		again := b.Restarted(t, nil)
		require.NoError(t, again.Keeper.Inspect(t.Context()))
		require.Equal(t, 1, placement(t, b).Generation)
		require.NotEmpty(t, texts(t, again, "artículo"))
	})

	t.Run("TakesChangesAlongThatComeMeanwhile", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		gone := b.Add(t, "a.md", "Vendemos trompos.")
		b.Add(t, "b.md", "Vendemos cometas rojas.")
		b.Add(t, "c.md", "Vendemos canicas.")
		require.NoError(t, b.Library.Reindex(t.Context(), "default"))
		first := true
		_, keeper := ingestion.New(b.Store, &interrupted{b.Index, func() {
			if first {
				first = false
				require.NoError(t, b.Library.Delete(t.Context(), gone.ID))
				b.Add(t, "b.md", "Vendemos cometas azules.")
				b.Add(t, "d.md", "Vendemos yoyos.")
			}
		}}, b.Files, b.Analyzer, zaptest.NewLogger(t))
		require.NoError(t, keeper.Inspect(t.Context()))
		require.Equal(t, 1, placement(t, b).Generation)
		require.Empty(t, texts(t, b, "trompos"))
		require.Equal(t, []string{"Vendemos cometas azules."}, texts(t, b, "cometas"))
		require.Equal(t, []string{"Vendemos yoyos."}, texts(t, b, "yoyos"))
		require.NoError(t, b.Keeper.Inspect(t.Context()))
		n, err := b.Index.Count(t.Context(), placement(t, b).Live())
		require.NoError(t, err)
		require.Equal(t, 3, n, "nothing dead is left in it")
	})

	t.Run("MakesAnUploadAtWorkBeginAnew", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		b.Add(t, "a.md", "El envío cuesta $5.")
		job := submit(t, b, "a.md", "El envío cuesta $7.")
		_, err := interrupt(t, b, func() {
			require.NoError(t, b.Library.Reindex(t.Context(), "default"))
			require.NoError(t, b.Keeper.Inspect(t.Context()))
		}).Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, "INDEX_SWITCHED", ingestionOf(t, b, job.ID).Reason)
		require.Equal(t, []string{"El envío cuesta $5."}, texts(t, b, "envío"))
		require.Eventually(t, func() bool { return work(t, b) == 1 }, 20*time.Second, 50*time.Millisecond)
		require.Equal(t, []string{"El envío cuesta $7."}, texts(t, b, "envío"))
	})

	t.Run("LeavesTheOldIndexForAWhileThenDropsIt", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		b.Add(t, "a.md", "El envío cuesta $5.")
		require.NoError(t, b.Library.Reindex(t.Context(), "default"))
		require.NoError(t, b.Keeper.Inspect(t.Context()))
		old := kbOf(t, b).Tenant(0, b.Index.Spec())
		_, err := b.Index.Count(t.Context(), old)
		require.NoError(t, err, "a search may be under way in it")
		waiting, err := b.Store.GarbageTenants(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, []rag.Tenant{old}, waiting)
		waiting, err = b.Store.GarbageTenants(t.Context(), time.Minute)
		require.NoError(t, err)
		require.Empty(t, waiting)
	})

	t.Run("OfALostIndexMakesItWhole", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		b.Add(t, "a.md", strings.Repeat("## Envío\n\nEl envío cuesta $5.\n\n", 450))
		require.NoError(t, b.Index.Drop(t.Context(), kbOf(t, b).Tenant(0, b.Index.Spec())))
		require.NoError(t, b.Library.Reindex(t.Context(), "default"))
		require.NoError(t, b.Restarted(t, nil).Keeper.Inspect(t.Context()))
		require.Len(t, texts(t, b, "envío"), 5)
		require.Equal(t, "KNOWLEDGE_BASE_NOT_FOUND", fault.ReasonOf(b.Library.Reindex(t.Context(), "otra")))
	})
}
