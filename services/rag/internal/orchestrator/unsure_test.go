package orchestrator_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/llm"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
)

func TestZones(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.AddShop(t)
	ask := func(t *testing.T, model llm.Model, threshold float64, change func(*rag.Request)) rag.Answer {
		t.Helper()
		req := request("¿Cuánto dura la garantía de las bicicletas?")
		req.Threshold = &threshold
		if change != nil {
			change(&req)
		}
		answer, err := newOrchestrator(t, b, model).GenerateAnswer(t.Context(), req)
		require.NoError(t, err)
		return answer
	}
	sure := ask(t, nil, 0, nil)
	require.Equal(t, rag.Answered, sure.Outcome)
	const doubt = "No estoy seguro, pero esto podría responder a tu pregunta:\n\n"

	t.Run("AnswerIsCertainFromTheBandOn", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, sure.Text, ask(t, nil, sure.Confidence-0.051, nil).Text)
	})

	t.Run("JustAboveTheThresholdItBeginsWithADoubt", func(t *testing.T) {
		t.Parallel()
		answer := ask(t, nil, sure.Confidence-0.04, nil)
		require.Equal(t, rag.Unsure, answer.Outcome)
		require.Equal(t, doubt+sure.Text, answer.Text, "sources included")
		require.Equal(t, sure.Citations, answer.Citations)
		require.Equal(t, sure.Suggestions, answer.Suggestions)
	})

	t.Run("ADoubtOffersAPersonBeforeTheSources", func(t *testing.T) {
		t.Parallel()
		answer := ask(t, nil, sure.Confidence, func(r *rag.Request) { r.HumanContact = "Ana, 555-0000" })
		require.True(t, strings.HasSuffix(answer.Text, "\n\nTambién puedes hablar con una persona: Ana, 555-0000\n\n_Fuente: Garantía_"), answer.Text)
	})

	t.Run("ADoubtIsInTheCustomersLanguage", func(t *testing.T) {
		t.Parallel()
		for question, want := range map[string]string{
			"What is the garantía of bicicletas?": "I'm not sure, but", "Qual é a garantia das bicicletas?": "Não tenho certeza, mas",
		} {
			probe := ask(t, nil, 0, func(r *rag.Request) { r.Turns[0].Text = question })
			answer := ask(t, nil, probe.Confidence, func(r *rag.Request) { r.Turns[0].Text = question })
			require.True(t, strings.HasPrefix(answer.Text, want), answer.Text)
		}
	})

	t.Run("BelowTheThresholdItIsNotKnown", func(t *testing.T) {
		t.Parallel()
		answer := ask(t, nil, sure.Confidence+0.01, nil)
		require.Equal(t, rag.Declined, answer.Outcome)
		require.Empty(t, answer.Suggestions)
	})
}
