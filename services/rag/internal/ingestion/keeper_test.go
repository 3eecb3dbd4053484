package ingestion_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
)

func search(t *testing.T, b *ragtest.Bundle, question string) error {
	t.Helper()
	_, err := b.Searcher.Search(t.Context(), rag.DefaultKnowledgeBase, question, 5)
	return err
}

func TestLostIndexIsFilledAgain(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.AddShop(t)
	before := texts(t, b, "garantía de bicicletas")
	require.NoError(t, b.Index.Drop(t.Context(), kbOf(t, b).Tenant(0, b.Index.Spec())))

	require.Equal(t, "INDEX_UNAVAILABLE", fault.ReasonOf(search(t, b, "garantía")), "nothing is denied meanwhile")
	require.NoError(t, b.Keeper.Inspect(t.Context()))
	require.Equal(t, before, texts(t, b, "garantía de bicicletas"))
}

func TestHalfAnIndexIsNotSearched(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.AddShop(t)
	kb := kbOf(t, b)
	versions, err := b.Store.ActiveVersions(t.Context(), kb)
	require.NoError(t, err)
	require.NoError(t, b.Index.DeleteVersion(t.Context(), kb.Tenant(0, b.Index.Spec()), versions[0]))

	again := b.Restarted(t, nil)
	err = search(t, again, "garantía")
	require.Equal(t, "INDEX_INCOMPLETE", fault.ReasonOf(err))
	_, ok := fault.RetryAfterOf(err)
	require.True(t, ok)
	require.NoError(t, again.Keeper.Inspect(t.Context()))
	require.NoError(t, search(t, again, "garantía"))
}

func TestRunRepairsWhatASearchMissed(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.AddShop(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Keeper.Run(ctx) }()
	require.NoError(t, b.Index.Drop(t.Context(), kbOf(t, b).Tenant(0, b.Index.Spec())))
	require.Eventually(t, func() bool { return search(t, b, "garantía") == nil }, 30*time.Second, 20*time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
}

func TestAddingToALostIndexDoesNotHideTheRest(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.AddShop(t)
	require.NoError(t, b.Index.Drop(t.Context(), kbOf(t, b).Tenant(0, b.Index.Spec())))
	b.Add(t, "nuevo.md", "Vendemos monopatines.")
	require.Equal(t, fault.Unavailable, fault.KindOf(search(t, b, "garantía de bicicletas")))
	require.NoError(t, b.Keeper.Inspect(t.Context()))
	require.NotEmpty(t, texts(t, b, "garantía de bicicletas"))
	require.NotEmpty(t, texts(t, b, "monopatines"))
}

func TestOldPassagesAreMadeAgain(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	doc := b.Add(t, "a.md", "El envío cuesta $5.")
	versions, err := b.Store.ActiveVersions(t.Context(), kbOf(t, b))
	require.NoError(t, err)
	old, _, err := b.Store.Version(t.Context(), versions[0])
	require.NoError(t, err)
	// What another program would have left: the same content, cut in another way.
	old.ID, old.Recipe = "11111111-1111-4111-8111-111111111111", "another"
	old.Passages = []rag.Passage{{ID: "22222222-2222-4222-8222-222222222222", Text: "mal cortado", Stems: []string{"mal"}}}
	require.NoError(t, b.Store.AddVersion(t.Context(), old))
	_, err = b.Store.Activate(t.Context(), old)
	require.NoError(t, err)

	again := b.Restarted(t, nil)
	require.NoError(t, again.Keeper.Inspect(t.Context()))
	require.Equal(t, []string{"El envío cuesta $5."}, texts(t, again, "envío"))
	now, err := b.Store.Document(t.Context(), doc.ID)
	require.NoError(t, err)
	require.Equal(t, 1, now.Version)
}

func TestKnowledgeBasesAreApart(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.Add(t, "a.md", "El envío cuesta $5.")
	_, err := b.Library.CreateKnowledgeBase(t.Context(), "otra", "")
	require.NoError(t, err)
	secret := upload("a.md", "El envío secreto cuesta $9.")
	secret.KnowledgeBase = "otra"
	_, _, err = b.Library.Add(t.Context(), secret)
	require.NoError(t, err)

	require.Equal(t, []string{"El envío cuesta $5."}, texts(t, b, "envío secreto"))
	found, err := b.Searcher.Search(t.Context(), "otra", "envío", 5)
	require.NoError(t, err)
	require.Len(t, found.Hits, 1)
	require.Equal(t, "El envío secreto cuesta $9.", found.Hits[0].Text)
}

func TestKnowledgeBaseNames(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	for _, name := range []string{"", "Con-Mayúscula", "a b", "a_b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a\x00"} {
		_, err := b.Library.CreateKnowledgeBase(t.Context(), name, "")
		require.Equal(t, "KNOWLEDGE_BASE_NAME", fault.ReasonOf(err), "%q", name)
	}
	_, err := b.Library.CreateKnowledgeBase(t.Context(), "a", "x\x00")
	require.Equal(t, "DISPLAY_NAME", fault.ReasonOf(err))
	_, err = b.Library.CreateKnowledgeBase(t.Context(), "default", "")
	require.Equal(t, fault.Conflict, fault.KindOf(err))
}

func TestDeletedKnowledgeBaseIsGoneFromTheIndexToo(t *testing.T) {
	t.Parallel()
	b, index := newFlaky(t)
	kb, err := b.Library.CreateKnowledgeBase(t.Context(), "otra", "Otra")
	require.NoError(t, err)
	u := upload("a.md", "El envío cuesta $5.")
	u.KnowledgeBase = "otra"
	_, _, err = b.Library.Add(t.Context(), u)
	require.NoError(t, err)

	index.drop = errAway
	require.NoError(t, b.Library.DeleteKnowledgeBase(t.Context(), "otra"))
	_, err = b.Searcher.Search(t.Context(), "otra", "envío", 5)
	require.Equal(t, fault.NotFound, fault.KindOf(err))

	index.drop = nil
	require.NoError(t, b.Keeper.Inspect(t.Context()), "the keeper drops what could not be dropped at once")
	_, err = b.Index.Count(t.Context(), kb.ID.Tenant(0, b.Index.Spec()))
	require.Error(t, err)
	tombs, err := b.Store.DeletedKnowledgeBases(t.Context())
	require.NoError(t, err)
	require.Empty(t, tombs)
	require.Equal(t, "DEFAULT_KNOWLEDGE_BASE", fault.ReasonOf(b.Library.DeleteKnowledgeBase(t.Context(), "default")))
}
