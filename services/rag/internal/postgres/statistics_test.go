package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
)

func TestRememberedStatisticsAreThoseOfTheirRevision(t *testing.T) {
	t.Parallel()
	b := setup(t)
	remembered := func(stems ...string) (rag.Statistics, bool) {
		return b.store.Remembered(rag.DefaultKnowledgeBase, stems)
	}
	revision := func() string {
		_, current, err := b.store.Passages(t.Context(), b.kb, nil)
		require.NoError(t, err)
		return current
	}
	b.counts(t, "envi")
	_, ok := remembered("envi")
	require.False(t, ok, "of an empty one nothing would tell of a change")

	first := b.version("a", "1", "envi gratis", "envi car")
	b.activate(t, first)
	b.counts(t, "envi", "nada")
	_, ok = remembered("envi", "gratis")
	require.False(t, ok, "gratis was never asked for")
	b.counts(t, "gratis")
	s, ok := remembered("envi", "gratis", "nada")
	require.True(t, ok)
	require.Equal(t, map[string]int{"envi": 2, "gratis": 1}, s.Counts)
	require.Equal(t, 2, s.Passages)
	require.Equal(t, s.Revision, revision())

	for name, change := range map[string]func(){
		"replaced": func() { b.activate(t, b.version("a", "2", "envi")) },
		"added":    func() { b.activate(t, b.version("b", "1", "car")) },
		"deleted": func() {
			done := b.activate(t, b.version("c", "1", "car"))
			b.counts(t, "envi")
			_, err := b.store.DeleteDocument(t.Context(), done.Document.ID)
			require.NoError(t, err)
		},
	} {
		b.counts(t, "envi")
		s, ok = remembered("envi")
		require.True(t, ok, name)
		require.Equal(t, s.Revision, revision(), name)
		change()
		require.NotEqual(t, s.Revision, revision(), name)
	}

	_, err := b.store.DeleteKnowledgeBase(t.Context(), rag.DefaultKnowledgeBase)
	require.NoError(t, err)
	require.Empty(t, revision())
}
