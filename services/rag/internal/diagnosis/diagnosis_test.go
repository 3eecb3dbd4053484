package diagnosis_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/doctor"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/diagnosis"
	"github.com/knobot/knobot/services/rag/internal/ragtest"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

func TestMain(m *testing.M) { os.Exit(ragtest.Run(m)) }

// store has no knowledge base, or is away.
type store struct{ err error }

func (s store) Placements(context.Context) ([]rag.Placement, error) { return nil, s.err }

// other is a Weaviate that says something else of itself.
type other struct {
	*weaviate.Index
	status weaviate.Status
}

func (o other) Status(context.Context) (weaviate.Status, error) { return o.status, nil }

func nobody(context.Context) []doctor.Finding { return nil }

func diagnose(t *testing.T, index diagnosis.Index, s diagnosis.Store) map[string]doctor.Finding {
	t.Helper()
	found := map[string]doctor.Finding{}
	for _, f := range diagnosis.New(index, s, nobody).Diagnose(t.Context()) {
		if f.State == doctor.Warning || f.State == doctor.Failed {
			require.NotEmpty(t, f.Cure, f.Check)
		}
		found[f.Check] = f
	}
	return found
}

func TestDiagnose(t *testing.T) {
	t.Parallel()

	t.Run("WeaviateThatIsAwayIsTheOnlyFinding", func(t *testing.T) {
		t.Parallel()
		index, err := weaviate.Open(weaviate.Config{URL: "http://127.0.0.1:1", GRPCAddr: "127.0.0.1:1", APIKey: "canary"})
		require.NoError(t, err)
		t.Cleanup(func() { _ = index.Close() })
		found := diagnose(t, index, store{})
		require.Len(t, found, 1)
		require.Equal(t, doctor.Failed, found["weaviate"].State)
		require.NotContains(t, found["weaviate"].Summary+found["weaviate"].Cure, "canary")
	})

	t.Run("BlockMaxIsSaidToBeUnknownWhereItMayBeOn", func(t *testing.T) {
		t.Parallel()
		index := ragtest.Index(t)
		require.NoError(t, index.Ensure(t.Context(), rag.Tenant{Name: "diagnosis", IndexSpec: rag.IndexSpec{Analyzer: "diagnosis"}}))
		f := diagnose(t, index, store{})["weaviate.blockmax"]
		require.Equal(t, doctor.Skipped, f.State, "Weaviate makes classes so by default")
		require.Contains(t, f.Cure, "USE_BLOCKMAX_WAND=false")
		for want, status := range map[doctor.State]weaviate.Status{
			doctor.OK: {Classes: []string{"Passage_x"}}, doctor.Skipped: {},
		} {
			require.Equal(t, want, diagnose(t, other{status: status}, store{})["weaviate.blockmax"].State)
		}
	})

	t.Run("OldVersionsFail", func(t *testing.T) {
		t.Parallel()
		for version, want := range map[string]doctor.State{"1.26.9": doctor.Failed, "1.27.0": doctor.OK, "1.35.2": doctor.OK, "2.0.0": doctor.OK} {
			require.Equal(t, want, diagnose(t, other{status: weaviate.Status{Version: version}}, store{err: errors.New("away")})["weaviate.version"].State, version)
		}
	})

	t.Run("DatabaseThatIsAwayLeavesTheEntriesUnknown", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, doctor.Skipped, diagnose(t, ragtest.Index(t), store{err: errors.New("away")})["index.entries"].State)
	})
}
