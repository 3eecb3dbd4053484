package service

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheLevelOfTheLogChangesWhileItRuns turns debug on as an operator does, in the middle of an incident.
func TestTheLevelOfTheLogChangesWhileItRuns(t *testing.T) {
	t.Parallel()
	r := newProgram(t, func(ctx context.Context, _ testConfig, s *Service) error {
		(&probe{unary: func(context.Context) error { return nil }}).register(s.GRPC())
		return s.Serve(ctx)
	}).start()
	level := func(method, body string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.addr("debug")+"/log/level", strings.NewReader(body))
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { require.NoError(t, response.Body.Close()) }()
		said, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(said)
	}

	_, said := level(http.MethodGet, "")
	require.JSONEq(t, `{"level":"info"}`, said)
	require.NoError(t, callUnary(t.Context(), r.conn()))
	require.Empty(t, r.stderr.lines("call"), "success is not of the ordinary log")

	status, said := level(http.MethodPut, `{"level":"debug"}`)
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"level":"debug"}`, said)
	require.NoError(t, callUnary(t.Context(), r.conn()))
	require.Len(t, r.stderr.lines("call"), 1)
	require.Len(t, r.stderr.lines("the level of the log was changed"), 1)

	for _, wrong := range []string{`{"level":"loud"}`, `debug`, `{"level":"` + strings.Repeat("x", maxLevelBytes) + `"}`} {
		status, _ = level(http.MethodPut, wrong)
		require.Equal(t, http.StatusBadRequest, status)
	}
	status, _ = level(http.MethodPost, `{"level":"info"}`)
	require.Equal(t, http.StatusMethodNotAllowed, status)
}
