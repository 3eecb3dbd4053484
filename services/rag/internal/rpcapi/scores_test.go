package rpcapi_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/services/rag/internal/embedding/embeddingtest"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
)

func TestPassagesComeWithBothRawScores(t *testing.T) {
	t.Parallel()
	inside := ragtest.New(t).Restarted(t, embeddingtest.New(t).Client(t, uuid.NewString()))
	require.NoError(t, inside.Keeper.Inspect(t.Context()))
	b := setupOver(t, inside, nil)
	b.create(t, "a.md", "Devolvemos el dinero en 5 días.")

	only := func(query string) *ragv1.Passage {
		found, err := b.bases.SearchPassages(t.Context(), &ragv1.SearchPassagesRequest{Query: query})
		require.NoError(t, err)
		require.Len(t, found.GetPassages(), 1)
		return found.GetPassages()[0]
	}
	paraphrase, words := only("guita"), only("dinero")
	require.Zero(t, paraphrase.GetScore(), "no word of it stands there")
	require.Positive(t, paraphrase.GetCosine())
	require.LessOrEqual(t, paraphrase.GetCosine(), 1.0)
	require.Positive(t, words.GetScore())
	require.Positive(t, words.GetCosine())
}
