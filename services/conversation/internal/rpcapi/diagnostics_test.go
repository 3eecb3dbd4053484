package rpcapi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

func TestDiagnoseTellsWhoWaitsTooLong(t *testing.T) {
	t.Parallel()
	b := setup(t)
	diagnose := func() map[string]typev1.Finding_State {
		r, err := b.diagnostics.Diagnose(t.Context(), &conversationv1.DiagnoseRequest{})
		require.NoError(t, err)
		found := map[string]typev1.Finding_State{}
		for _, f := range r.GetFindings() {
			found[f.GetCheck()] = f.GetState()
			require.Equal(t, f.GetState() != typev1.Finding_STATE_OK, f.GetCure() != "", f.GetCheck())
		}
		return found
	}
	b.post(b.text("573001234567", "hola"))
	require.Equal(t, map[string]typev1.Finding_State{
		"database": typev1.Finding_STATE_OK, "database.schema": typev1.Finding_STATE_OK, "database.clock": typev1.Finding_STATE_OK,
		"sealing": typev1.Finding_STATE_OK, "turns.waiting": typev1.Finding_STATE_OK,
	}, diagnose())
	for age, want := range map[time.Duration]typev1.Finding_State{
		time.Minute: typev1.Finding_STATE_WARNING, 10 * time.Minute: typev1.Finding_STATE_FAILED,
	} {
		_, err := b.pool.Exec(t.Context(), `update turns set due_at = now() - $1::interval`, age)
		require.NoError(t, err)
		require.Equal(t, want, diagnose()["turns.waiting"], age)
	}
}
