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
	"github.com/knobot/knobot/services/rag/internal/filetest"
	"github.com/knobot/knobot/services/rag/internal/hybrid"
	"github.com/knobot/knobot/services/rag/internal/ingestion"
	"github.com/knobot/knobot/services/rag/internal/postgres"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

func submit(t *testing.T, b *ragtest.Bundle, name, content string) rag.Ingestion {
	t.Helper()
	job, err := b.Library.Submit(t.Context(), upload(name, content))
	require.NoError(t, err)
	return job
}

// work does what is due, and returns how often there was something.
func work(t *testing.T, b *ragtest.Bundle) (done int) {
	t.Helper()
	for {
		worked, err := b.Worker.Next(t.Context())
		require.NoError(t, err)
		if !worked {
			return done
		}
		done++
	}
}

func ingestionOf(t *testing.T, b *ragtest.Bundle, id rag.IngestionID) rag.Ingestion {
	t.Helper()
	i, err := b.Store.Ingestion(t.Context(), id)
	require.NoError(t, err)
	return i
}

// interrupted calls before every write of the index.
type interrupted struct {
	*hybrid.Index
	before func()
}

func (i *interrupted) Put(ctx context.Context, kb rag.Tenant, entries []weaviate.Entry) error {
	i.before()
	if err := ctx.Err(); err != nil {
		return err
	}
	return i.Index.Put(ctx, kb, entries)
}

// interrupt returns a worker whose index calls before every write.
func interrupt(t *testing.T, b *ragtest.Bundle, before func()) *ingestion.Worker {
	t.Helper()
	library, _ := ingestion.New(b.Store, &interrupted{b.Index, before}, b.Files, b.Analyzer, zaptest.NewLogger(t))
	return ingestion.NewWorker(library, b.Store, zaptest.NewLogger(t))
}

func TestUpload(t *testing.T) {
	t.Parallel()

	t.Run("BecomesADocument", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		job := submit(t, b, "a.md", "# Envíos\n\nEl envío cuesta $5.")
		require.Equal(t, rag.Queued, job.State)
		require.Equal(t, "default", job.KnowledgeBase)
		require.Equal(t, "a.md", job.DocumentName)
		require.Equal(t, 1, work(t, b))
		done := ingestionOf(t, b, job.ID)
		require.Equal(t, rag.Done, done.State)
		require.Equal(t, 1, done.PassagesDone)
		require.Equal(t, 1, done.PassagesTotal)
		hits := b.Search(t, "envío")
		require.Equal(t, done.Document, hits[0].Document)
	})

	t.Run("OfTheSameContentIsNoWork", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		first := submit(t, b, "a.md", "El envío cuesta $5.")
		require.Equal(t, first.ID, submit(t, b, "a.md", "El envío cuesta $5.").ID, "it waits already")
		require.Equal(t, 1, work(t, b))
		again := submit(t, b, "a.md", "El envío cuesta $5.")
		require.Equal(t, rag.Done, again.State)
		require.True(t, again.Unchanged)
		require.NotEmpty(t, again.Document)
		require.Zero(t, work(t, b))
	})

	t.Run("TheNewestWins", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		first, second := submit(t, b, "a.md", "El envío cuesta $5."), submit(t, b, "a.md", "El envío cuesta $7.")
		require.Equal(t, 1, work(t, b))
		require.Equal(t, rag.Superseded, ingestionOf(t, b, first.ID).State)
		require.Equal(t, rag.Done, ingestionOf(t, b, second.ID).State)
		require.Equal(t, []string{"El envío cuesta $7."}, texts(t, b, "envío"))
	})

	t.Run("ANewerOneStopsTheOneAtWork", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		b.Add(t, "a.md", "El envío cuesta $1.")
		first := submit(t, b, "a.md", "El envío cuesta $5.")
		var second rag.Ingestion
		worker := interrupt(t, b, func() {
			require.Equal(t, []string{"El envío cuesta $1."}, texts(t, b, "envío"), "the old version answers")
			require.Equal(t, rag.Indexing, ingestionOf(t, b, first.ID).State)
			second = submit(t, b, "a.md", "El envío cuesta $7.")
		})
		worked, err := worker.Next(t.Context())
		require.NoError(t, err)
		require.True(t, worked)
		require.Equal(t, rag.Superseded, ingestionOf(t, b, first.ID).State)
		require.Equal(t, []string{"El envío cuesta $1."}, texts(t, b, "envío"))
		require.Equal(t, 1, work(t, b))
		require.Equal(t, rag.Done, ingestionOf(t, b, second.ID).State)
		require.Equal(t, []string{"El envío cuesta $7."}, texts(t, b, "envío"))
	})

	t.Run("GivesWayToADocumentCreatedLater", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		b.Add(t, "a.md", "El envío cuesta $1.")
		first := submit(t, b, "a.md", "El envío cuesta $5.")
		b.Add(t, "a.md", "El envío cuesta $7.")
		second := submit(t, b, "a.md", "El envío cuesta $9.")
		b.Add(t, "a.md", "El envío cuesta $7.")
		require.Zero(t, work(t, b))
		require.Equal(t, rag.Superseded, ingestionOf(t, b, first.ID).State)
		require.Equal(t, rag.Superseded, ingestionOf(t, b, second.ID).State)
		require.Equal(t, []string{"El envío cuesta $7."}, texts(t, b, "envío"))
	})

	t.Run("GivesWayToADeletion", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		doc := b.Add(t, "a.md", "El envío cuesta $1.")
		submit(t, b, "a.md", "El envío cuesta $5.")
		require.NoError(t, b.Library.Delete(t.Context(), doc.ID))
		require.Zero(t, work(t, b))
		require.Empty(t, texts(t, b, "envío"))
	})

	t.Run("OfABadFileFailsWithItsReason", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		b.Add(t, "a.pdf", string(filetest.PDF([]string{"El envío cuesta $5."})))
		job := submit(t, b, "a.pdf", string(filetest.EncryptedPDF()))
		require.Equal(t, 1, work(t, b))
		failed := ingestionOf(t, b, job.ID)
		require.Equal(t, rag.Failed, failed.State)
		require.Equal(t, "CONTENT_ENCRYPTED", failed.Reason)
		require.Contains(t, failed.Message, "password")
		require.Zero(t, failed.Attempts)
		require.Zero(t, work(t, b), "it is not tried again")
		require.Equal(t, []string{"El envío cuesta $5."}, texts(t, b, "envío"))
	})

	t.Run("OfWhatIsSeenToBeBadIsRefusedAtOnce", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		_, err := b.Library.Submit(t.Context(), ingestion.Upload{KnowledgeBase: "default", Name: "a.pdf", Content: make([]byte, 32<<20+1)})
		require.Equal(t, "CONTENT_TOO_LARGE", fault.ReasonOf(err))
		_, err = b.Library.Submit(t.Context(), upload("a.md", strings.Repeat("x", 8<<20+1)))
		require.Equal(t, "CONTENT_TOO_LARGE", fault.ReasonOf(err))
		missing := upload("a.md", "x")
		missing.KnowledgeBase = "otra"
		_, err = b.Library.Submit(t.Context(), missing)
		require.Equal(t, "KNOWLEDGE_BASE_NOT_FOUND", fault.ReasonOf(err))
	})

	t.Run("OfADeletedKnowledgeBaseIsForgotten", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		_, err := b.Library.CreateKnowledgeBase(t.Context(), "otra", "")
		require.NoError(t, err)
		u := upload("a.md", "x")
		u.KnowledgeBase = "otra"
		job, err := b.Library.Submit(t.Context(), u)
		require.NoError(t, err)
		require.NoError(t, b.Library.DeleteKnowledgeBase(t.Context(), "otra"))
		work(t, b)
		_, err = b.Store.Ingestion(t.Context(), job.ID)
		require.Equal(t, "INGESTION_NOT_FOUND", fault.ReasonOf(err))
	})
}

func TestUploadSurvives(t *testing.T) {
	t.Parallel()

	t.Run("AKilledService", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		job := submit(t, b, "a.md", "El envío cuesta $5.")
		// What a process that was killed leaves: a job that it holds.
		_, found, err := b.Store.Claim(t.Context(), 200*time.Millisecond)
		require.NoError(t, err)
		require.True(t, found)
		require.Zero(t, work(t, b), "it holds it until its lease is over")
		require.Eventually(t, func() bool { return work(t, b) == 1 }, 20*time.Second, 20*time.Millisecond)
		require.Equal(t, rag.Done, ingestionOf(t, b, job.ID).State)
	})

	t.Run("AStopInTheMiddle", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		job := submit(t, b, "a.md", "El envío cuesta $5.")
		ctx, cancel := context.WithCancel(t.Context())
		_, err := interrupt(t, b, cancel).Next(ctx)
		require.NoError(t, err)
		require.Equal(t, rag.Queued, ingestionOf(t, b, job.ID).State)
		require.Equal(t, 1, work(t, b), "the next process takes it up at once")
	})

	t.Run("AnIndexThatIsAway", func(t *testing.T) {
		t.Parallel()
		b, index := newFlaky(t)
		b.Worker = ingestion.NewWorker(b.Library, b.Store, zaptest.NewLogger(t))
		index.put = errAway
		job := submit(t, b, "a.md", "El envío cuesta $5.")
		require.Equal(t, 1, work(t, b))
		waiting := ingestionOf(t, b, job.ID)
		require.Equal(t, rag.Queued, waiting.State)
		require.Equal(t, "INDEX_UNAVAILABLE", waiting.Reason)
		require.Equal(t, 1, waiting.Attempts)
		index.put = nil
		require.Eventually(t, func() bool { return work(t, b) == 1 }, 20*time.Second, 50*time.Millisecond)
		done := ingestionOf(t, b, job.ID)
		require.Equal(t, rag.Done, done.State)
		require.Empty(t, done.Reason)
	})

	t.Run("NotForEverWhatEndsTheProgram", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		job := submit(t, b, "a.md", "El envío cuesta $5.")
		for range 3 {
			_, found, err := b.Store.Claim(t.Context(), -time.Second)
			require.NoError(t, err)
			require.True(t, found)
		}
		require.Equal(t, 1, work(t, b))
		require.Equal(t, "CONTENT_UNREADABLE", ingestionOf(t, b, job.ID).Reason)
	})

	t.Run("ButALostLeaseChangesNothing", func(t *testing.T) {
		t.Parallel()
		b := ragtest.New(t)
		submit(t, b, "a.md", "El envío cuesta $5.")
		old, _, err := b.Store.Claim(t.Context(), -time.Second)
		require.NoError(t, err)
		_, found, err := b.Store.Claim(t.Context(), time.Minute)
		require.NoError(t, err)
		require.True(t, found)
		for name, try := range map[string]func() error{
			"renew":    func() error { return b.Store.Renew(t.Context(), old, time.Minute) },
			"progress": func() error { return b.Store.Progress(t.Context(), old, rag.Reading, 0, 0) },
			"fail":     func() error { return b.Store.Fail(t.Context(), old, "R", "m") },
			"postpone": func() error { return b.Store.Postpone(t.Context(), old, "R", "m", 0) },
			"release":  func() error { return b.Store.Release(t.Context(), old) },
			"complete": func() error { _, err := b.Store.Complete(t.Context(), old, old.Version); return err },
		} {
			require.ErrorIs(t, try(), postgres.ErrLeaseLost, name)
		}
	})
}

func TestWorkerRunsByItself(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Worker.Run(ctx) }()
	var jobs []rag.Ingestion
	for i := range 5 {
		jobs = append(jobs, submit(t, b, fmt.Sprintf("%d.md", i), fmt.Sprintf("Documento número %d.", i)))
	}
	require.Eventually(t, func() bool {
		for _, job := range jobs {
			if ingestionOf(t, b, job.ID).State != rag.Done {
				return false
			}
		}
		return true
	}, 60*time.Second, 50*time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
}

func TestProgressIsSeenInALargeUpload(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.Add(t, "faq.csv", "pregunta,respuesta\n¿Pregunta vieja?,Vieja.\n")
	var rows strings.Builder
	rows.WriteString("pregunta,respuesta\n")
	const pairs = 2_000
	for i := range pairs {
		fmt.Fprintf(&rows, "¿Cuánto vale el artículo %d?,Vale %d pesos.\n", i, 50_000+i)
	}
	job := submit(t, b, "faq.csv", rows.String())
	var seen []int
	_, err := interrupt(t, b, func() {
		i := ingestionOf(t, b, job.ID)
		require.Equal(t, pairs, i.PassagesTotal)
		seen = append(seen, i.PassagesDone)
		require.Equal(t, "Vieja.", texts(t, b, "pregunta vieja")[0])
	}).Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{0, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800}, seen)
	require.Equal(t, "Vale 51234 pesos.", texts(t, b, "cuánto vale el artículo 1234")[0])
	require.Equal(t, pairs, ingestionOf(t, b, job.ID).PassagesDone)
}
