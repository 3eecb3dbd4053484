package orchestrator_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
)

func TestModelCondensesQuestions(t *testing.T) {
	t.Parallel()
	b := ragtest.New(t)
	b.AddShop(t)
	followUp := func(text string) rag.Request {
		req := request(text)
		req.Turns = append([]rag.Turn{
			{Role: rag.Customer, Text: "¿Tienen local en Rosario?"}, {Role: rag.Assistant, Text: "Sí, y vendemos bicicletas."},
		}, req.Turns...)
		return req
	}
	answer := func(t *testing.T, query string, req rag.Request) (*provider, rag.Answer) {
		t.Helper()
		p := newProvider(t, http.StatusOK, proof+"Dura 24 meses [1].")
		p.query = query
		answer, err := newOrchestrator(t, b, p).GenerateAnswer(t.Context(), req)
		require.NoError(t, err)
		return p, answer
	}

	t.Run("FollowUpIsSearchedByTheQuery", func(t *testing.T) {
		t.Parallel()
		const text = " ¿y cuánto tiempo\ncubre eso? 😀 "
		p, answer := answer(t, "duración de la garantía de las bicicletas", followUp(text))
		require.Equal(t, "Dura 24 meses.\n\n_Fuente: Garantía_", answer.Text)
		require.Equal(t, rag.Usage{Model: "openai/tiny", InputTokens: 200, OutputTokens: 14}, answer.Usage, "both calls are paid")
		condensed := <-p.condensed
		require.Contains(t, condensed[0].Content, "Write it in Spanish")
		require.Equal(t, []chatMessage{
			{"user", "¿Tienen local en Rosario?"}, {"assistant", "Sí, y vendemos bicicletas."}, {"user", text},
		}, condensed[1:])
		asked := <-p.asked
		require.Equal(t, chatMessage{"user", text}, asked[len(asked)-1], "the query is for the search alone")
		for _, m := range asked[2:] {
			require.NotContains(t, m.Content, "duración de la garantía")
		}
	})

	t.Run("AnotherLanguageIsTranslated", func(t *testing.T) {
		t.Parallel()
		p, answer := answer(t, "duración de la garantía de las bicicletas", request("How long does the warranty for bikes last?"))
		require.Equal(t, "Dura 24 meses.\n\n_Source: Garantía_", answer.Text)
		require.Len(t, p.condensed, 1)
		require.Contains(t, (<-p.asked)[0].Content, "Write in English")
	})

	t.Run("FirstQuestionAndSmallTalkCostNoCall", func(t *testing.T) {
		t.Parallel()
		for _, req := range []rag.Request{
			request("¿Cuánto dura la garantía de las bicicletas?"), followUp("muchas gracias"), followUp("😀"), followUp("quiero hablar con una persona"),
		} {
			p, _ := answer(t, "garantía", req)
			require.Empty(t, p.condensed)
		}
	})

	t.Run("WhatDoesNotHelpLeavesTheCustomersWords", func(t *testing.T) {
		t.Parallel()
		for name, query := range map[string]string{
			"fails": "", "nothing": "¿?", "elsewhere": "volcanes activos de Islandia", "an answer": "Lo siento, no puedo ayudarte con eso hoy.",
		} {
			p, answer := answer(t, query, followUp("¿y cuánto dura la garantía de las bicicletas?"))
			require.Len(t, p.condensed, 1, name)
			require.Equal(t, "Dura 24 meses.\n\n_Fuente: Garantía_", answer.Text, name)
		}
	})
}
