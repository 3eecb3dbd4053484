package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/knobot/knobot/e2e/internal/manifests"
)

// TestProbesAreAnswered asks the programs for the health of every name that the manifests' check takes for one of theirs, and of
// one that it does not.
func TestProbesAreAnswered(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for _, p := range s.Services() {
		health := healthv1.NewHealthClient(s.Conn(p))
		names := manifests.HealthServices(p.Name)
		require.Greater(t, len(names), 2)
		for _, name := range names {
			answer, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{Service: name})
			require.NoError(t, err, "%s %q", p.Name, name)
			require.Equal(t, healthv1.HealthCheckResponse_SERVING, answer.GetStatus(), "%s %q", p.Name, name)
		}
		_, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{Service: "knobot." + p.Name + ".v1.Nothing"})
		require.Error(t, err)
	}
}
