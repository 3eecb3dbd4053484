package command_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/cli/internal/command"
)

// TestScenario plays files against a simulator that knows no accounts, which is enough to see that the file is read,
// played, and told of by the exit code. Package scenario tests the playing itself.
func TestScenario(t *testing.T) {
	t.Parallel()
	var faults int
	sim := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/simulator/v1/accounts":
			_, _ = w.Write([]byte(`{"numbers":[],"bots":[]}`))
		case "/simulator/v1/events":
			w.Header().Set("Content-Type", "text/event-stream")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/simulator/v1/faults":
			faults++
			_, _ = w.Write([]byte(`{}`))
		}
	}))
	t.Cleanup(sim.Close)
	play := func(t *testing.T, text string) (int, string, string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "scenario.yaml")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		var out, errOut bytes.Buffer
		args := []string{"chat", "--simulator", strings.TrimPrefix(sim.URL, "http://"), "--scenario", file}
		return command.Run(t.Context(), args, strings.NewReader(""), &out, &errOut), out.String(), errOut.String()
	}

	code, out, _ := play(t, `steps: [{fault: {kind: reset}}, {clear_faults: true}]`)
	require.Zero(t, code)
	require.Equal(t, 2, faults)
	require.Contains(t, out, "2 steps, 0 expectations met, 0 failed")

	code, _, errOut := play(t, `steps: [{fualt: {kind: reset}}]`)
	require.Equal(t, 1, code)
	require.Contains(t, errOut, `unknown field "fualt"`)

	code, _, errOut = play(t, `{customers: {a: {platform: telegram, from: "7"}}, steps: [{as: a, say: hola}]}`)
	require.Equal(t, 1, code)
	require.Contains(t, errOut, "no account")
}
