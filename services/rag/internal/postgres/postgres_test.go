package postgres_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/pgtest"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

type bundle struct {
	pool  *pgxpool.Pool
	store *postgres.Store
	kb    rag.KnowledgeBaseID
}

func setup(t *testing.T) *bundle {
	t.Helper()
	pool := pgtest.Database(t, postgres.Schema())
	b := &bundle{pool: pool, store: postgres.NewStore(pool)}
	kb, err := b.store.KnowledgeBase(t.Context(), rag.DefaultKnowledgeBase)
	require.NoError(t, err, "the default knowledge base is there from the start")
	b.kb = kb.ID
	return b
}

// version makes one of the document of this name, a passage for each list of stems.
func (b *bundle) version(name, hash string, passages ...string) rag.Version {
	v := rag.Version{
		Audience: rag.Public, Trust: rag.Company,
		ID: rag.VersionID(uuid.NewString()), KnowledgeBase: b.kb, Name: name, Title: name, Type: rag.PlainText,
		Hash: []byte(hash), Content: []byte(hash), Recipe: "1",
	}
	for _, stems := range passages {
		v.Passages = append(v.Passages, rag.Passage{
			ID: rag.PassageID(uuid.NewString()), HeadingPath: []string{"a", "b"}, Text: stems, Stems: strings.Fields(stems),
		})
	}
	return v
}

func (b *bundle) activate(t *testing.T, v rag.Version) postgres.Activated {
	t.Helper()
	require.NoError(t, b.store.AddVersion(t.Context(), v))
	done, err := b.store.Activate(t.Context(), v)
	require.NoError(t, err)
	return done
}

func (b *bundle) counts(t *testing.T, stems ...string) (passages int, counts map[string]int) {
	t.Helper()
	s, err := b.store.Statistics(t.Context(), rag.DefaultKnowledgeBase, stems)
	require.NoError(t, err)
	require.Equal(t, b.kb, s.KnowledgeBase)
	return s.Passages, s.Counts
}

func TestStatisticsFollowEveryChange(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.activate(t, b.version("a", "1", "envi gratis", "envi car"))
	second := b.activate(t, b.version("b", "1", "envi"))
	n, counts := b.counts(t, "envi", "gratis", "nada")
	require.Equal(t, 3, n)
	require.Equal(t, map[string]int{"envi": 3, "gratis": 1}, counts)

	b.activate(t, b.version("a", "2", "car"))
	n, counts = b.counts(t, "envi", "gratis", "car")
	require.Equal(t, 2, n)
	require.Equal(t, map[string]int{"envi": 1, "car": 1}, counts)

	_, err := b.store.DeleteDocument(t.Context(), second.Document.ID)
	require.NoError(t, err)
	n, counts = b.counts(t, "envi", "car")
	require.Equal(t, 1, n)
	require.Equal(t, map[string]int{"car": 1}, counts)
}

func TestPendingVersionIsNotFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.version("a", "1", "envi")
	require.NoError(t, b.store.AddVersion(t.Context(), v))
	found, _, err := b.store.Passages(t.Context(), b.kb, []rag.PassageID{v.Passages[0].ID})
	require.NoError(t, err)
	require.Empty(t, found)
	n, _ := b.counts(t)
	require.Zero(t, n)
}

func TestSwitchIsAllAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := b.version("a", "1", "uno"), b.version("a", "2", "dos")
	old := b.activate(t, first)
	done := b.activate(t, second)
	require.Equal(t, first.ID, done.Replaced)
	require.Equal(t, old.Document.ID, done.Document.ID)
	require.Equal(t, 2, done.Document.Version)
	require.Equal(t, old.Document.CreateTime, done.Document.CreateTime)

	found, _, err := b.store.Passages(t.Context(), b.kb, []rag.PassageID{first.Passages[0].ID, second.Passages[0].ID})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, "dos", found[second.Passages[0].ID].Text)
	require.Equal(t, []string{"a", "b"}, found[second.Passages[0].ID].HeadingPath)

	dead, err := b.store.Garbage(t.Context(), time.Hour, 10)
	require.NoError(t, err)
	require.Equal(t, []rag.Garbage{{KnowledgeBase: b.kb, Version: first.ID}}, dead)
	require.NoError(t, b.store.Remove(t.Context(), first.ID))
	require.NoError(t, b.store.Remove(t.Context(), second.ID), "an active version is not removed")
	dead, err = b.store.Garbage(t.Context(), time.Hour, 10)
	require.NoError(t, err)
	require.Empty(t, dead)
	_, current, err := b.store.Version(t.Context(), second.ID)
	require.NoError(t, err)
	require.True(t, current)
}

func TestSameContentIsUnchanged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.activate(t, b.version("a", "1", "uno"))
	again := b.version("a", "1", "uno")
	doc, same, err := b.store.Unchanged(t.Context(), again)
	require.NoError(t, err)
	require.True(t, same)
	require.Equal(t, first.Document, doc)
	done := b.activate(t, again)
	require.True(t, done.Unchanged, "also when two callers come at once")
	require.Equal(t, again.ID, done.Replaced)
	require.Equal(t, 1, done.Document.Version)

	renewed := b.version("a", "1", "uno", "dos")
	renewed.Recipe = "2"
	_, same, err = b.store.Unchanged(t.Context(), renewed)
	require.NoError(t, err)
	require.False(t, same)
	done = b.activate(t, renewed)
	require.Equal(t, 1, done.Document.Version, "the same content cut in another way is no new version")
	require.Equal(t, 2, done.Document.PassageCount)
}

func TestConcurrentChangesKeepTheCountsRight(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var group sync.WaitGroup
	for worker := range 6 {
		group.Go(func() {
			for round := range 5 {
				v := b.version(fmt.Sprint("doc", worker%3), fmt.Sprint(worker, round), "envi comun", "comun")
				if err := b.store.AddVersion(t.Context(), v); err != nil {
					t.Error(err)
					return
				}
				if _, err := b.store.Activate(t.Context(), v); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	n, counts := b.counts(t, "envi", "comun")
	require.Equal(t, 6, n)
	require.Equal(t, map[string]int{"envi": 3, "comun": 6}, counts)
}

func TestDocumentsArePagedByName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, name := range []string{"c", "a", "ñ", "b"} {
		b.activate(t, b.version(name, name, "x"))
	}
	var names []string
	for after := ""; ; {
		page, err := b.store.Documents(t.Context(), b.kb, after, 3)
		require.NoError(t, err)
		for _, doc := range page {
			require.Nil(t, doc.Content)
			names = append(names, doc.Name)
		}
		if len(page) < 3 {
			break
		}
		after = names[len(names)-1]
	}
	require.Equal(t, []string{"a", "b", "c", "ñ"}, names)
}

func TestKnowledgeBaseIsDeletedWithAllThatIsInIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made, err := b.store.CreateKnowledgeBase(t.Context(), "otra", "Otra")
	require.NoError(t, err)
	_, err = b.store.CreateKnowledgeBase(t.Context(), "otra", "Otra")
	require.Equal(t, fault.Conflict, fault.KindOf(err))
	b.kb = made.ID
	doc := b.activate(t, b.version("a", "1", "envi")).Document
	require.Equal(t, "otra", doc.KnowledgeBase)

	id, err := b.store.DeleteKnowledgeBase(t.Context(), "otra")
	require.NoError(t, err)
	require.Equal(t, made.ID, id)
	_, err = b.store.KnowledgeBase(t.Context(), "otra")
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	_, err = b.store.Document(t.Context(), doc.ID)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	require.Equal(t, "KNOWLEDGE_BASE_NOT_FOUND", fault.ReasonOf(b.store.AddVersion(t.Context(), b.version("b", "1", "x"))))
	_, err = b.store.CreateKnowledgeBase(t.Context(), "otra", "Otra")
	require.NoError(t, err, "the name is free again")

	tombs, err := b.store.DeletedKnowledgeBases(t.Context())
	require.NoError(t, err)
	require.Equal(t, []rag.KnowledgeBaseID{made.ID}, tombs)
	require.NoError(t, b.store.RemoveKnowledgeBase(t.Context(), made.ID))
	tombs, err = b.store.DeletedKnowledgeBases(t.Context())
	require.NoError(t, err)
	require.Empty(t, tombs)
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, name := range []string{"otra", "", "a\x00b", "'; drop table versions; --"} {
		_, err := b.store.KnowledgeBase(t.Context(), name)
		require.Equal(t, "KNOWLEDGE_BASE_NOT_FOUND", fault.ReasonOf(err), "%q", name)
		_, err = b.store.Statistics(t.Context(), name, nil)
		require.Equal(t, "KNOWLEDGE_BASE_NOT_FOUND", fault.ReasonOf(err), "%q", name)
		_, err = b.store.DeleteKnowledgeBase(t.Context(), name)
		require.Equal(t, "KNOWLEDGE_BASE_NOT_FOUND", fault.ReasonOf(err), "%q", name)
	}
	_, err := b.store.Document(t.Context(), rag.DocumentID(uuid.NewString()))
	require.Equal(t, "DOCUMENT_NOT_FOUND", fault.ReasonOf(err))
	_, err = b.store.DeleteDocument(t.Context(), rag.DocumentID(uuid.NewString()))
	require.Equal(t, "DOCUMENT_NOT_FOUND", fault.ReasonOf(err))
}

func TestAbsentDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.pool.Close()
	_, err := b.store.Statistics(t.Context(), rag.DefaultKnowledgeBase, nil)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.Equal(t, fault.Unavailable, fault.KindOf(b.store.AddVersion(t.Context(), b.version("a", "1", "x"))))
}

// TestSearchUsesIndexes explains the two queries of a search over tables too large to be read whole.
func TestSearchUsesIndexes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 40 {
		var passages []string
		for j := range 50 {
			passages = append(passages, fmt.Sprintf("raiz%d palabra%d_%d", i, i, j))
		}
		b.activate(t, b.version(fmt.Sprint("doc", i), "1", passages...))
	}
	_, err := b.pool.Exec(t.Context(), "analyze")
	require.NoError(t, err)
	for name, query := range map[string]string{
		"passages": `select p.id from passages p join documents d on d.version_id = p.version_id
			where p.id = any(array['` + uuid.NewString() + `']::text[]::uuid[]) and d.knowledge_base_id = '` + string(b.kb) + `'`,
		"statistics": `select c.passages from knowledge_bases k left join stem_counts c on c.knowledge_base_id = k.id
			and c.stem = any(array['raiz1', 'raiz2']) where k.name = 'default' and k.delete_time is null`,
	} {
		rows, err := b.pool.Query(t.Context(), "explain "+query)
		require.NoError(t, err)
		var plan strings.Builder
		for rows.Next() {
			var line string
			require.NoError(t, rows.Scan(&line))
			plan.WriteString(line + "\n")
		}
		require.NoError(t, rows.Err())
		require.NotContains(t, plan.String(), "Seq Scan on passages", name)
		require.NotContains(t, plan.String(), "Seq Scan on stem_counts", name)
	}
}
