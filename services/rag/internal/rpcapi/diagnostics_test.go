package rpcapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

func TestDiagnoseNamesWhatIsMissingFromTheIndex(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create(t, "envios.md", "# Envíos\n\nEl envío a Cali cuesta $5.")
	findings := func() map[string]*typev1.Finding {
		r, err := b.diagnoses.Diagnose(t.Context(), &ragv1.DiagnoseRequest{})
		require.NoError(t, err)
		found := map[string]*typev1.Finding{}
		for _, f := range r.GetFindings() {
			found[f.GetCheck()] = f
		}
		return found
	}
	whole := findings()
	for _, check := range []string{"database", "database.schema", "database.clock", "weaviate", "weaviate.version", "index.entries"} {
		require.Equal(t, typev1.Finding_STATE_OK, whole[check].GetState(), "%s: %s", check, whole[check].GetSummary())
	}
	require.Contains(t, whole["weaviate.version"].GetSummary(), "1.")

	places, err := b.store.Placements(t.Context())
	require.NoError(t, err)
	for _, p := range places {
		require.NoError(t, b.inside.Index.Drop(t.Context(), p.Live()))
	}
	lost := findings()["index.entries"]
	require.Equal(t, typev1.Finding_STATE_FAILED, lost.GetState())
	require.Contains(t, lost.GetSummary(), "1 of 1 passages")
	require.NotEmpty(t, lost.GetCure())
}
