package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
)

func ids(v rag.Version) (out []rag.PassageID) {
	for _, p := range v.Passages {
		out = append(out, p.ID)
	}
	return out
}

func TestKnownPassageIsToldOnlyWhileItsDocumentIsCurrent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	old := b.version("a", "1", "envi gratis", "envi car")
	id := b.activate(t, old).Document.ID
	told := func(of rag.Version) map[rag.PassageID]rag.Passage {
		t.Helper()
		found, _, err := b.store.Passages(t.Context(), b.kb, ids(of))
		require.NoError(t, err)
		return found
	}
	first := told(old)
	require.Len(t, first, 2)
	require.Equal(t, first, told(old), "from memory as from the database")
	require.Equal(t, []string{"envi", "car"}, first[old.Passages[1].ID].Stems)

	other := b.version("a", "2", "car")
	other.Title = "Título nuevo"
	b.activate(t, other)
	require.Empty(t, told(old), "replaced")
	require.Equal(t, "Título nuevo", told(other)[other.Passages[0].ID].Title)

	_, err := b.store.DeleteDocument(t.Context(), id)
	require.NoError(t, err)
	require.Empty(t, told(other), "deleted")
}

func TestKnownPassageIsNotToldToAnotherKnowledgeBase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.version("a", "1", "envi gratis")
	b.activate(t, v)
	other, err := b.store.CreateKnowledgeBase(t.Context(), "otra", "")
	require.NoError(t, err)
	mine, _, err := b.store.Passages(t.Context(), b.kb, ids(v))
	require.NoError(t, err)
	require.Len(t, mine, 1)
	foreign, _, err := b.store.Passages(t.Context(), other.ID, ids(v))
	require.NoError(t, err)
	require.Empty(t, foreign)
}
