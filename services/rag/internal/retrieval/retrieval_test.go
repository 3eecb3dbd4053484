package retrieval_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/analysis"
	"github.com/knobot/knobot/services/rag/internal/hybrid"
	"github.com/knobot/knobot/services/rag/internal/retrieval"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

// world is a store, an index and a keeper in memory: what a search makes of them is the subject here; the real ones are
// tested together in package ingestion.
type world struct {
	statistics rag.Statistics
	passages   map[rag.PassageID]rag.Passage
	matches    []weaviate.Match
	searchErr  error
	incomplete error

	searches    []int
	expressions []string
	lost        []rag.Tenant
	remembered  rag.Statistics
	asked       int
}

func (w *world) Statistics(context.Context, string, []string) (rag.Statistics, error) {
	w.asked++
	return w.statistics, nil
}

func (w *world) Remembered(string, []string) (rag.Statistics, bool) {
	return w.remembered, w.remembered.Remembered
}

func (w *world) Passages(_ context.Context, _ rag.KnowledgeBaseID, ids []rag.PassageID) (map[rag.PassageID]rag.Passage, string, error) {
	out := map[rag.PassageID]rag.Passage{}
	for _, id := range ids {
		if p, ok := w.passages[id]; ok {
			out[id] = p
		}
	}
	return out, w.statistics.Revision, nil
}

func (w *world) Search(_ context.Context, _ rag.Tenant, expression string, limit int) ([]weaviate.Match, error) {
	w.searches, w.expressions = append(w.searches, limit), append(w.expressions, expression)
	return append([]weaviate.Match(nil), w.matches[:min(limit, len(w.matches))]...), w.searchErr
}

func (w *world) Embeds(rag.Tenant) bool { return false }

func (w *world) Bearing(context.Context, string) *hybrid.Bearing { return nil }

func (w *world) Near(context.Context, rag.Tenant, *hybrid.Bearing, int) ([]weaviate.Match, error) {
	return nil, nil
}

func (w *world) Check(context.Context, rag.Tenant, int) error { return w.incomplete }

func (w *world) Lost(in rag.Tenant) { w.lost = append(w.lost, in) }

// newWorld has dead matches before the live ones.
func newWorld(dead, live int) *world {
	w := &world{
		statistics: rag.Statistics{KnowledgeBase: "kb", Tenant: rag.Tenant{Name: "kb"}, Passages: 100, Counts: map[string]int{"envi": 10}},
		passages:   map[rag.PassageID]rag.Passage{},
	}
	for i := range dead + live {
		id := rag.PassageID(fmt.Sprintf("%05d", i))
		w.matches = append(w.matches, weaviate.Match{Passage: id, Score: float64(dead + live - i)})
		if i >= dead {
			w.passages[id] = rag.Passage{ID: id, Stems: []string{"envi"}}
		}
	}
	return w
}

func search(t *testing.T, w *world, question string, topK int) (retrieval.Result, error) {
	t.Helper()
	return retrieval.New(w, w, w, analysis.New(), zap.NewNop()).Search(t.Context(), "default", question, topK)
}

func TestDeadMatchesAreSearchedPast(t *testing.T) {
	t.Parallel()
	w := newWorld(300, 10)
	found, err := search(t, w, "envío", 5)
	require.NoError(t, err)
	require.Len(t, found.Hits, 5)
	require.Equal(t, rag.PassageID("00300"), found.Hits[0].ID)
	require.Equal(t, []int{20, 80, 320}, w.searches)
}

func TestLiveMatchesNeedOneSearch(t *testing.T) {
	t.Parallel()
	w := newWorld(0, 100)
	_, err := search(t, w, "envío", 5)
	require.NoError(t, err)
	require.Len(t, w.searches, 1)
}

func TestPiecesOfAllWordsAreAskedForWhereStemsFindLittle(t *testing.T) {
	t.Parallel()
	w := newWorld(0, 10)
	w.statistics.Counts = map[string]int{"envi": 10, "biciclet": 10}
	_, err := search(t, w, "envío", 5)
	require.NoError(t, err)
	require.Len(t, w.expressions, 1)
	require.NotContains(t, w.expressions[0], analysis.PieceMark, "a word that is known and found needs none")

	w.expressions = nil
	_, err = search(t, w, "envíos de bicicletas", 5)
	require.NoError(t, err)
	require.Len(t, w.expressions, 2)
	require.NotContains(t, w.expressions[0], analysis.PieceMark)
	require.Contains(t, w.expressions[1], analysis.PieceMark+"_env", "no passage covers both")

	w.expressions = nil
	_, err = search(t, w, "envío gratiss", 5)
	require.NoError(t, err)
	require.Contains(t, w.expressions[0], analysis.PieceMark+"_gra", "an unknown word may be mistyped")
	require.NotContains(t, w.expressions[0], analysis.PieceMark+"_env")
}

func TestSearchingPastTheDeadEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(100_000, 0)
	found, err := search(t, w, "envío", 5)
	require.NoError(t, err)
	require.Empty(t, found.Hits)
	require.Zero(t, found.Confidence())
	require.LessOrEqual(t, len(w.searches), 10)
}

func TestNothingIsSearchedWithoutWords(t *testing.T) {
	t.Parallel()
	for _, question := range []string{"", "😀", "¿y cómo es?"} {
		w := newWorld(0, 10)
		found, err := search(t, w, question, 5)
		require.NoError(t, err)
		require.Zero(t, found.Question.Words())
		require.Empty(t, w.searches)
	}
	w := newWorld(0, 10)
	w.statistics.Passages = 0
	_, err := search(t, w, "envío", 5)
	require.NoError(t, err)
	require.Empty(t, w.searches, "an empty knowledge base needs no index")
}

func TestMissingEntriesAreReported(t *testing.T) {
	t.Parallel()
	w := newWorld(0, 1)
	w.searchErr = weaviate.ErrMissing
	_, err := search(t, w, "envío", 5)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.Equal(t, []rag.Tenant{{Name: "kb"}}, w.lost)

	w = newWorld(0, 1)
	w.incomplete = fault.New(fault.Unavailable, "INDEX_INCOMPLETE", "wait")
	_, err = search(t, w, "envío", 5)
	require.Equal(t, "INDEX_INCOMPLETE", fault.ReasonOf(err))
	require.Empty(t, w.searches)
}

func TestTopKIsBounded(t *testing.T) {
	t.Parallel()
	for topK, ok := range map[int]bool{-1: false, 0: false, 1: true, 20: true, 21: false} {
		_, err := search(t, newWorld(0, 30), "envío", topK)
		require.Equal(t, ok, err == nil, topK)
	}
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	w := newWorld(0, 1)
	w.statistics.Counts = map[string]int{"envi": 50, "grati": 1}
	question := func(text string) retrieval.Question {
		found, err := search(t, w, text, 5)
		require.NoError(t, err)
		return found.Question
	}
	q := question("envío gratis")
	require.InDelta(t, 1, q.Coverage([]string{"envi", "grati", "otro"}), 1e-9)
	require.Zero(t, q.Coverage([]string{"otro"}))
	require.Zero(t, question("😀").Coverage([]string{"envi"}))
	require.Greater(t, q.Coverage([]string{"grati"}), q.Coverage([]string{"envi"}), "rare words weigh more")
	require.InDelta(t, 0.87, question("garatnía garantía").Coverage([]string{"garanti"}), 0.1, "a mistyped word counts by its likeness")
	require.InDelta(t, 0.9, question("refund").Coverage([]string{"reembols"}), 1e-9, "a synonym counts a little less")
	require.InDelta(t, 1, question("refund").Coverage([]string{"reembols", "refund"}), 1e-9)
	require.Greater(t, question("shipping azul").Coverage([]string{"azul"}), question("envelope azul").Coverage([]string{"azul"}),
		"a word is as common as its synonyms")
	require.Less(t, question("envío a Francia").Coverage([]string{"envi"}), question("envío a francia").Coverage([]string{"envi"}),
		"an unknown name weighs more than an unknown word")
}

func TestWhatIsRememberedSavesAQuestionUntilSomethingChanges(t *testing.T) {
	t.Parallel()
	remember := func(w *world) {
		w.statistics.Revision = "1"
		w.remembered = w.statistics
		w.remembered.Remembered = true
	}
	w := newWorld(0, 10)
	remember(w)
	r, err := search(t, w, "envío", 5)
	require.NoError(t, err)
	require.Len(t, r.Hits, 5)
	require.Zero(t, w.asked)

	w.statistics.Revision = "2"
	r, err = search(t, w, "envío", 5)
	require.NoError(t, err)
	require.Len(t, r.Hits, 5)
	require.Equal(t, 1, w.asked, "the passages told that it has changed")

	w = newWorld(0, 10)
	remember(w)
	w.searchErr = weaviate.ErrMissing
	_, err = search(t, w, "envío", 5)
	require.True(t, fault.IsKind(err, fault.Unavailable))
	require.Equal(t, 1, w.asked, "the tenant may be an old one, so that is asked before it counts as lost")
	require.Len(t, w.lost, 1)
}
