package feedback_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/pgtest"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/analysis"
	"github.com/knobot/knobot/services/rag/internal/feedback"
	"github.com/knobot/knobot/services/rag/internal/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// declining knows no answer to anything, but for what begins with "sí".
type declining struct{ feedback.Answerer }

func (declining) GenerateAnswer(_ context.Context, r rag.Request) (rag.Answer, error) {
	text := r.Turns[0].Text
	if strings.HasPrefix(text, "sí") {
		return rag.Answer{Outcome: rag.Answered}, nil
	}
	return rag.Answer{Outcome: rag.Declined, Language: rag.Spanish, Unanswered: text}, nil
}

func (d declining) StreamAnswer(ctx context.Context, r rag.Request, _ func(string)) (rag.Answer, error) {
	return d.GenerateAnswer(ctx, r)
}

const (
	pgWait = 20 * time.Second
	pgBeat = 10 * time.Millisecond
)

type bundle struct {
	pool  *pgxpool.Pool
	store *postgres.Store
	book  *feedback.Book
	kb    rag.KnowledgeBaseID
}

func setup(t *testing.T) *bundle {
	t.Helper()
	pool := pgtest.Database(t, postgres.Schema())
	b := &bundle{pool: pool, store: postgres.NewStore(pool)}
	b.book = feedback.New(b.store, analysis.New(), zap.NewNop())
	kb, err := b.store.KnowledgeBase(t.Context(), rag.DefaultKnowledgeBase)
	require.NoError(t, err)
	b.kb = kb.ID
	return b
}

func (b *bundle) ask(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		_, err := b.book.Listen(declining{}).GenerateAnswer(t.Context(), rag.Request{
			KnowledgeBase: rag.DefaultKnowledgeBase, Turns: []rag.Turn{{Role: rag.Customer, Text: text}},
		})
		require.NoError(t, err)
	}
}

func (b *bundle) list(t *testing.T) []rag.UnansweredQuestion {
	t.Helper()
	list, err := b.store.UnansweredQuestions(t.Context(), b.kb, 0, 5_000)
	require.NoError(t, err)
	return list
}

func TestUnansweredQuestions(t *testing.T) {
	t.Parallel()

	t.Run("TheSameInOtherLettersIsCountedOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.ask(t, "¿Alquilan carpas?", "¿Venden patines?", "venden PATINES", "sí, abren", "  Patines, ¿venden?\n")
		list := b.list(t)
		require.Len(t, list, 2)
		require.EqualValues(t, 3, list[0].Count)
		require.Equal(t, "Patines, ¿venden?", list[0].Question, "as it was asked last")
		require.Equal(t, rag.Spanish, list[0].Language)
		require.WithinRange(t, list[0].LastTime, list[1].LastTime, list[0].LastTime)
		require.Equal(t, "¿Alquilan carpas?", list[1].Question)
	})

	t.Run("NamesNobody", func(t *testing.T) {
		t.Parallel()
		for text, want := range map[string]string{
			"¿Me llaman al +57 300 123-4567 por los patines?":   "¿Me llaman al # por los patines?",
			"patines para 3001234567 y 300.123.45.67":           "patines para # y #",
			"patines pedido 45871":                              "patines pedido 45871",
			"patines de ana.lopez+x@correo.com.co, por favor":   "patines de @ por favor",
			"patines tel. (601) 555 0100":                       "patines tel. (#",
			"patines \x00\x1b de ٠١٢٣٤٥٦":                       "patines \x1b de #",
			"patines talla 38":                                  "patines talla 38",
			"patines " + strings.Repeat("ñ", 400):               "patines " + strings.Repeat("ñ", 292),
			"patines " + strings.Repeat("palabra 3001 ", 1_000): "patines " + strings.Repeat("palabra 3001 ", 22) + "palabr",
		} {
			b := setup(t)
			b.ask(t, text)
			list := b.list(t)
			require.Len(t, list, 1, text)
			require.Equal(t, want, list[0].Question)
		}
	})

	t.Run("WithoutAWordIsNone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.ask(t, "300 123 4567", "¿?", "ana@correo.co")
		require.Empty(t, b.list(t))
	})

	t.Run("DismissedStaysAway", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.ask(t, "¿Venden patines?")
		require.NoError(t, b.store.DismissUnanswered(t.Context(), b.list(t)[0].ID))
		b.ask(t, "¿Venden patines?")
		require.Empty(t, b.list(t))
	})

	t.Run("AreBoundedAndFrequentOnesStay", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.ask(t, "¿Venden patines?", "¿Venden patines?")
		_, err := b.pool.Exec(t.Context(), `
insert into unanswered_questions (knowledge_base_id, key, question, language, last_time)
select $1, sha256(n::text::bytea), 'q' || n, 'es', now() + n * interval '1 microsecond' from generate_series(1, 1100) n`, b.kb)
		require.NoError(t, err)
		b.ask(t, "¿Alquilan carpas?")
		list := b.list(t)
		require.Len(t, list, rag.MaxUnanswered)
		require.Equal(t, "¿Venden patines?", list[0].Question)
	})

	t.Run("OldOnesAreForgottenAndNotShownBefore", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.ask(t, "¿Venden patines?", "¿Alquilan carpas?")
		liked := true
		require.NoError(t, b.book.Record(t.Context(), rag.DefaultKnowledgeBase, rag.Feedback{Request: "r1", Positive: &liked}))
		_, err := b.pool.Exec(t.Context(), `update unanswered_questions set last_time = now() - interval '91 days' where question like '%patines%'`)
		require.NoError(t, err)
		_, err = b.pool.Exec(t.Context(), `update feedback set update_time = now() - interval '366 days'`)
		require.NoError(t, err)
		require.Len(t, b.list(t), 1)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.book.Run(ctx) }()
		require.Eventually(t, func() bool { return b.rows(t, "unanswered_questions") == 1 && b.rows(t, "feedback") == 0 }, pgWait, pgBeat)
		cancel()
		require.NoError(t, <-done)
	})

	t.Run("GoWithTheirKnowledgeBase", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.store.CreateKnowledgeBase(t.Context(), "otra", "otra")
		require.NoError(t, err)
		_, err = b.book.Listen(declining{}).StreamAnswer(t.Context(), rag.Request{
			KnowledgeBase: "otra", Turns: []rag.Turn{{Role: rag.Customer, Text: "¿Venden patines?"}},
		}, nil)
		require.NoError(t, err)
		require.Equal(t, 1, b.rows(t, "unanswered_questions"))
		_, err = b.store.DeleteKnowledgeBase(t.Context(), "otra")
		require.NoError(t, err)
		require.Zero(t, b.rows(t, "unanswered_questions"))
	})
}

func (b *bundle) rows(t *testing.T, table string) (n int) {
	t.Helper()
	require.NoError(t, b.pool.QueryRow(context.Background(), "select count(*) from "+table).Scan(&n))
	return n
}

func TestFeedbackIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	liked := true
	many := make([]rag.DocumentID, 21)
	for reason, f := range map[string]rag.Feedback{
		"REQUEST_ID":   {Request: strings.Repeat("x", 65), Positive: &liked},
		"DOCUMENT_IDS": {Request: "r1", Documents: many, Positive: &liked},
	} {
		require.Equal(t, reason, fault.ReasonOf(b.book.Record(t.Context(), rag.DefaultKnowledgeBase, f)))
	}
	for _, request := range []string{"", "a\x00", "ñ"} {
		require.Equal(t, "REQUEST_ID", fault.ReasonOf(b.book.Record(t.Context(), rag.DefaultKnowledgeBase, rag.Feedback{Request: request})), "%q", request)
	}
	for _, positive := range []*bool{nil, &liked} {
		err := b.book.Record(t.Context(), "otra", rag.Feedback{Request: "r1", Positive: positive})
		require.Equal(t, "KNOWLEDGE_BASE_NOT_FOUND", fault.ReasonOf(err))
	}
	require.NoError(t, b.book.Record(t.Context(), rag.DefaultKnowledgeBase, rag.Feedback{Request: fmt.Sprint(1)}), "nothing to take back")
}
