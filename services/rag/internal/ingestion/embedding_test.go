package ingestion_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/embedding/embeddingtest"
	"github.com/knobot/knobot/services/rag/internal/ingestion"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
	"github.com/knobot/knobot/services/rag/internal/retrieval"
)

// embedded returns a bundle with an embedding model of its own, whose index has its vectors.
func embedded(t *testing.T) (*ragtest.Bundle, *embeddingtest.Server) {
	t.Helper()
	server := embeddingtest.New(t)
	b := ragtest.New(t).Restarted(t, server.Client(t, uuid.NewString()))
	require.NoError(t, b.Keeper.Inspect(t.Context()))
	require.Equal(t, b.Index.Spec().Model, placement(t, b).Model)
	return b, server
}

// paraphrase finds what says that money comes back, without a word of that.
func paraphrase(t *testing.T, b *ragtest.Bundle) retrieval.Result {
	t.Helper()
	found, err := b.Searcher.Search(t.Context(), rag.DefaultKnowledgeBase, "guita", 5)
	require.NoError(t, err)
	return found
}

const refund = "Devolvemos el dinero en 5 días."

func TestVectors(t *testing.T) {
	t.Parallel()

	t.Run("OfANewDocumentAreMadeWithIt", func(t *testing.T) {
		t.Parallel()
		b, _ := embedded(t)
		b.Add(t, "a.md", refund)
		found := paraphrase(t, b)
		require.Len(t, found.Hits, 1)
		require.Zero(t, found.Hits[0].Coverage)
		require.Positive(t, found.Hits[0].Cosine)
		require.Greater(t, found.Confidence(), 0.5)
		kb, err := b.Library.CreateKnowledgeBase(t.Context(), "otra", "")
		require.NoError(t, err)
		place, err := b.Store.Placement(t.Context(), kb.ID)
		require.NoError(t, err)
		require.Equal(t, rag.Placement{KnowledgeBase: kb.ID, IndexSpec: b.Index.Spec()}, place, "a new knowledge base needs no second index")
	})

	t.Run("ThatCannotBeHadPutADocumentOff", func(t *testing.T) {
		t.Parallel()
		b, server := embedded(t)
		server.Down.Store(true)
		_, _, err := b.Library.Add(t.Context(), upload("a.md", refund))
		require.Equal(t, fault.Unavailable, fault.KindOf(err))
		require.Equal(t, "EMBEDDINGS_UNAVAILABLE", fault.ReasonOf(err))
		job := submit(t, b, "a.md", refund)
		_, err = b.Worker.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, "EMBEDDINGS_UNAVAILABLE", ingestionOf(t, b, job.ID).Reason)
		require.False(t, ingestionOf(t, b, job.ID).Ended())
		server.Down.Store(false)
		b.Add(t, "b.md", refund)
		require.Len(t, paraphrase(t, b).Hits, 1)
	})

	t.Run("AreMadeBesideTheIndexThatAnswers", func(t *testing.T) {
		t.Parallel()
		plain := ragtest.New(t)
		plain.Add(t, "a.md", refund)
		require.Empty(t, paraphrase(t, plain).Hits)
		server := embeddingtest.New(t)
		b := plain.Restarted(t, server.Client(t, uuid.NewString()))
		server.Down.Store(true)
		require.Error(t, b.Keeper.Inspect(t.Context()))
		require.Len(t, texts(t, b, "dinero"), 1, "keywords answer until it is complete")
		b.Add(t, "b.md", "Vendemos cometas.")
		require.Len(t, texts(t, b, "cometas"), 1, "and take documents in")
		server.Down.Store(false)
		require.NoError(t, b.Keeper.Inspect(t.Context()))
		require.Equal(t, b.Index.Spec().Model, placement(t, b).Model)
		require.Len(t, paraphrase(t, b).Hits, 2)
		embedded := server.Texts.Load()
		require.NoError(t, b.Keeper.Inspect(t.Context()))
		require.Equal(t, embedded, server.Texts.Load(), "nothing is made twice")
	})

	t.Run("OfALostIndexAreMadeAgain", func(t *testing.T) {
		t.Parallel()
		b, _ := embedded(t)
		b.Add(t, "a.md", refund)
		require.NoError(t, b.Index.Drop(t.Context(), placement(t, b).Live()))
		require.NoError(t, b.Restarted(t, nil).Index.Drop(t.Context(), placement(t, b).Live()), "twice is no error")
		require.NoError(t, b.Keeper.Inspect(t.Context()))
		require.Len(t, paraphrase(t, b).Hits, 1)
	})

	t.Run("OfAnotherModelReplaceThemAndNoneDoToo", func(t *testing.T) {
		t.Parallel()
		b, server := embedded(t)
		b.Add(t, "a.md", refund)
		other := b.Restarted(t, server.Client(t, uuid.NewString()))
		require.NoError(t, other.Keeper.Inspect(t.Context()))
		require.Equal(t, other.Index.Spec().Model, placement(t, b).Model)
		require.Len(t, paraphrase(t, other).Hits, 1)
		require.Empty(t, paraphrase(t, b).Hits, "the first one searches by keyword")
		require.Len(t, texts(t, b, "dinero"), 1)
		_, _, err := b.Library.Add(t.Context(), upload("b.md", "Vendemos cometas."))
		require.Equal(t, "INDEX_OF_ANOTHER_PROGRAM", fault.ReasonOf(err), "and leaves documents to the other")
		require.NoError(t, b.Keeper.Inspect(t.Context()))
		require.Equal(t, other.Index.Spec().Model, placement(t, b).Model, "the one started last decides")

		plain := b.Restarted(t, nil)
		require.NoError(t, plain.Keeper.Inspect(t.Context()))
		require.Empty(t, placement(t, b).Model)
		require.Len(t, texts(t, plain, "dinero"), 1)
		plain.Add(t, "b.md", "Vendemos cometas.")
	})

	t.Run("ThatAreHalfMadeGiveWayToAnotherModels", func(t *testing.T) {
		t.Parallel()
		plain := ragtest.New(t)
		plain.Add(t, "a.md", refund)
		server := embeddingtest.New(t)
		b := plain.Restarted(t, server.Client(t, uuid.NewString()))
		server.Down.Store(true)
		require.Error(t, b.Keeper.Inspect(t.Context()))
		half := placement(t, b).Beside()
		require.Equal(t, b.Index.Spec().Model, half.Model)
		server.Down.Store(false)
		other := b.Restarted(t, server.Client(t, uuid.NewString()))
		require.NoError(t, other.Keeper.Inspect(t.Context()))
		require.Equal(t, other.Index.Spec().Model, placement(t, b).Model)
		garbage, err := b.Store.GarbageTenants(t.Context(), 0)
		require.NoError(t, err)
		require.ElementsMatch(t, []rag.Tenant{half, kbOf(t, b).Tenant(0, plain.Index.Spec())}, garbage)
	})

	t.Run("AreMadeOfTheSameTextsEitherWay", func(t *testing.T) {
		t.Parallel()
		b, _ := embedded(t)
		b.Add(t, "a.md", "# Devoluciones\n\n"+refund)
		before := paraphrase(t, b).Hits
		require.NoError(t, b.Library.Reindex(t.Context(), rag.DefaultKnowledgeBase))
		_, keeper := ingestion.New(b.Store, b.Index, b.Files, b.Analyzer, zaptest.NewLogger(t))
		require.NoError(t, keeper.Inspect(t.Context()))
		require.Equal(t, before, paraphrase(t, b).Hits)
	})
}
