package orchestrator_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/embedding/embeddingtest"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
)

// TestParaphraseIsAnswered asks for what the shop says in other words.
func TestParaphraseIsAnswered(t *testing.T) {
	t.Parallel()
	const question = "¿Cuándo veré mi guita?"
	plain := ragtest.New(t)
	plain.AddShop(t)
	declined, err := newOrchestrator(t, plain, nil).GenerateAnswer(t.Context(), request(question))
	require.NoError(t, err)
	require.Equal(t, rag.Declined, declined.Outcome, "keywords alone do not find it")

	server := embeddingtest.New(t)
	b := plain.Restarted(t, server.Client(t, uuid.NewString()))
	require.NoError(t, b.Keeper.Inspect(t.Context()))
	answers := newOrchestrator(t, b, nil)
	answer, err := answers.GenerateAnswer(t.Context(), request(question))
	require.NoError(t, err)
	require.Equal(t, rag.Answered, answer.Outcome, answer.Text)
	require.Contains(t, answer.Text, "5 días hábiles")
	require.Greater(t, answer.Confidence, 0.35)

	for _, nonsense := range []string{"¿Cuál es la capital de Francia?", "asdf qwerty zxcv", "recomiéndame una película"} {
		answer, err := answers.GenerateAnswer(t.Context(), request(nonsense))
		require.NoError(t, err)
		require.Equal(t, rag.Declined, answer.Outcome, "%s: %s", nonsense, answer.Text)
	}

	server.Down.Store(true)
	answer, err = answers.GenerateAnswer(t.Context(), request("¿Cuánto dura la garantía de las bicicletas?"))
	require.NoError(t, err)
	require.Contains(t, answer.Text, "24 meses", "keywords answer while the embeddings are away")
}
