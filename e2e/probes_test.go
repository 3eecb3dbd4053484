package e2e

import (
	"bufio"
	"maps"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/knobot/knobot/e2e/internal/manifests"
	"github.com/knobot/knobot/e2e/internal/system"
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

// TestTheTrialsEnvironmentIsTaken starts each program with what its pod is given in overlays/local: all names are known, all values
// right, and none is missing. Only addresses and folders are of this machine.
func TestTheTrialsEnvironmentIsTaken(t *testing.T) {
	t.Parallel()
	trial, err := manifests.Render(system.Root(), "local")
	require.NoError(t, err)
	given, programs := trial.Environments()
	require.Len(t, given, 5)
	for pod, environment := range given {
		t.Run(pod, func(t *testing.T) {
			t.Parallel()
			starts(t, programs[pod], environment)
		})
	}
}

// starts runs a program until it says that it is ready, and ends it.
func starts(t *testing.T, program string, environment map[string]string) {
	t.Helper()
	here := map[string]string{
		"KNOBOT_GRPC_ADDR": "127.0.0.1:0", "KNOBOT_DEBUG_ADDR": "127.0.0.1:0", "KNOBOT_HTTP_ADDR": "127.0.0.1:0", "KNOBOT_DRAIN": "0s",
		"KNOBOT_ADMIN_ADDR": "127.0.0.1:0",
		"KNOBOT_MEDIA_URL":  "file://" + t.TempDir(), "KNOBOT_CACHE_DIR": t.TempDir(),
	}
	maps.Copy(environment, here)
	cmd := exec.CommandContext(t.Context(), system.Bin(program))
	for name, value := range environment {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	said, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	ready, all := false, ""
	for lines := bufio.NewScanner(said); lines.Scan(); {
		all += lines.Text() + "\n"
		if !ready && strings.Contains(lines.Text(), `"msg":"ready"`) {
			ready = true
			require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		}
	}
	require.NoError(t, cmd.Wait(), all)
	require.True(t, ready, all)
}
