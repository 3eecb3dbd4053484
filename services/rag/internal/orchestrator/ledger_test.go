package orchestrator_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/extract"
	"github.com/knobot/knobot/services/rag/internal/llm"
	"github.com/knobot/knobot/services/rag/internal/orchestrator"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
	"github.com/knobot/knobot/services/rag/internal/usage"
)

func TestEvaluationsTakeNothingFromCustomers(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.AddShop(t)
	ledger := usage.New(b.Store, usage.Limits{PerKnowledgeBase: 1}, nil, zap.NewNop())
	answers := orchestrator.New(b.Searcher, b.Store, extract.New(b.Analyzer), newProvider(t, http.StatusOK, proof+"Dura 24 meses [1]."),
		zaptest.NewLogger(t), orchestrator.WithLedger(ledger))
	ask := func(evaluation bool) rag.Answer {
		req := request("¿Cuánto dura la garantía de las bicicletas?")
		req.Evaluation = evaluation
		answer, err := answers.GenerateAnswer(t.Context(), req)
		require.NoError(t, err)
		return answer
	}
	require.Equal(t, rag.Generated, ask(true).Mode)
	require.Equal(t, rag.Extractive, ask(true).Mode, "they have a limit too")
	answer := ask(false)
	require.Equal(t, rag.Generated, answer.Mode)
	require.False(t, answer.Regardless)
	require.Equal(t, rag.Extractive, ask(false).Mode)
}

func TestBeyondTheDailyLimitTheDocumentsAnswer(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.AddShop(t)
	setup := func(t *testing.T, model llm.Model) *orchestrator.Orchestrator {
		t.Helper()
		ledger := usage.New(b.Store, usage.Limits{PerCustomer: 1}, map[string]usage.Price{"openai/tiny": {Input: 1, Output: 2}}, zap.NewNop())
		return orchestrator.New(b.Searcher, b.Store, extract.New(b.Analyzer), model, zaptest.NewLogger(t), orchestrator.WithLedger(ledger))
	}
	p := newProvider(t, http.StatusOK, proof+"Dura 24 meses [1].")
	p.query = "garantía de las bicicletas"
	answers := setup(t, p)
	ask := func(customer, text string) rag.Answer {
		req := request(text)
		req.CustomerKey = customer
		req.Turns = append([]rag.Turn{{Role: rag.Customer, Text: "¿Venden bicicletas?"}}, req.Turns...)
		answer, err := answers.GenerateAnswer(t.Context(), req)
		require.NoError(t, err)
		return answer
	}
	require.Equal(t, rag.SmallTalk, ask("ana", "hola").Outcome, "costs nothing and counts nothing")
	const question = "¿Cuánto dura la garantía de las bicicletas?"
	first := ask("ana", question)
	require.Equal(t, rag.Generated, first.Mode)
	require.Equal(t, rag.Usage{Model: "openai/tiny", InputTokens: 200, OutputTokens: 14, CostMicros: 228}, first.Usage)
	calls := len(p.asked) + len(p.condensed)
	require.Equal(t, 2, calls, "both for one answer")

	second := ask("ana", question)
	require.Equal(t, rag.Extractive, second.Mode)
	require.Contains(t, second.Text, "24 meses")
	require.Zero(t, second.Usage)
	require.Equal(t, rag.Declined, ask("ana", "¿Cuánto dura la garantía de patinetas plegables importadas rojas?").Outcome)
	require.Equal(t, calls, len(p.asked)+len(p.condensed))
	require.Equal(t, rag.Generated, ask("eva", question).Mode)

	alone := request("¿quién sos?")
	alone.Retrieve, alone.CustomerKey = false, "ana"
	answer, err := answers.GenerateAnswer(t.Context(), alone)
	require.NoError(t, err)
	require.Equal(t, rag.Declined, answer.Outcome)

	photo := request("")
	photo.Turns[0].Files, photo.CustomerKey = [][]byte{png()}, "ana"
	answer, err = setup(t, newSeer(t, http.StatusOK, "Una bicicleta.", "")).GenerateAnswer(t.Context(), photo)
	require.NoError(t, err)
	require.Contains(t, answer.Text, "con palabras")

	sums, err := b.Store.Usage(t.Context(), rag.UsageFilter{}, 10)
	require.NoError(t, err)
	require.Len(t, sums, 1)
	require.EqualValues(t, 2, sums[0].Answers)
	require.Equal(t, rag.Usage{Model: "openai/tiny", InputTokens: 400, OutputTokens: 28, CostMicros: 456}, sums[0].Usage)
}

// awayLedger cannot count, as while the database is away.
type awayLedger struct{}

func (awayLedger) Allows(context.Context, rag.Request) (bool, error) {
	return false, errors.New("the database is away")
}
func (awayLedger) Settle(context.Context, string, []rag.Usage) int64 { return 0 }

// TestAnOutageIsNoLimit tells who cannot be counted from who has had enough: saying "I don't know" for good would be untrue.
func TestAnOutageIsNoLimit(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	p := newProvider(t, http.StatusOK, "Soy un asistente.")
	answers := orchestrator.New(b.Searcher, b.Store, extract.New(b.Analyzer), p, zaptest.NewLogger(t), orchestrator.WithLedger(awayLedger{}))
	alone := request("¿quién sos?")
	alone.Retrieve = false
	_, err := answers.GenerateAnswer(t.Context(), alone)
	require.Equal(t, "MODEL_UNAVAILABLE", fault.ReasonOf(err), "%v", err)
	require.Empty(t, p.asked, "and nothing is paid")
}
