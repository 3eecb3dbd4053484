package e2e

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/system"
)

// TestReadme does what a newcomer does: it runs the commands of README.md in their order, then every script of docs/requests.
// Its addresses are the real ones, so it skips where KnoBot is running already.
func TestReadme(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:9000", "127.0.0.1:9080", "127.0.0.1:9101", "127.0.0.1:9102", "127.0.0.1:9103", "127.0.0.1:9800"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Skipf("%s is in use: stop the KnoBot that runs there to run this test", address)
		}
		require.NoError(t, l.Close())
	}
	blocks := fenced(t, filepath.Join(system.Root(), "README.md"))
	require.NotEmpty(t, blocks)
	require.Equal(t, "make up", strings.TrimSpace(blocks[0]), "the first command starts everything")

	env := append(os.Environ(), "KNOBOT_DATA_DIR="+shortDir(t))
	up := startUp(t, env)
	up.await(t, "KnoBot is ready", 3*time.Minute)
	var all strings.Builder
	for _, block := range blocks[1:] {
		all.WriteString(shell(t, env, block))
	}
	require.Contains(t, all.String(), "Fuente", "answers name their source")
	require.Contains(t, all.String(), "dos horas", "a document of one's own is found at once")
	require.Contains(t, all.String(), "knobot.conversation.v1.WebhookLogService", "grpcurl lists the services")

	scripts, err := filepath.Glob(filepath.Join(system.Root(), "docs", "requests", "*.sh"))
	require.NoError(t, err)
	require.Len(t, scripts, 4)
	for _, script := range scripts {
		shell(t, env, script)
	}
}

// fenced returns the blocks between ```sh and ```.
func fenced(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var blocks []string
	for _, part := range strings.Split(string(text), "```sh\n")[1:] {
		block, _, _ := strings.Cut(part, "\n```")
		blocks = append(blocks, block)
	}
	return blocks
}

// shortDir is a folder whose name leaves room for a socket and that PostgreSQL's user can enter.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ku-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func shell(t *testing.T, env []string, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = system.Root(), env
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", script, out)
	return string(out)
}

// upProcess is make up in the background.
type upProcess struct {
	cmd  *exec.Cmd
	out  *system.Log
	done chan struct{}
}

func startUp(t *testing.T, env []string) *upProcess {
	t.Helper()
	p := &upProcess{cmd: exec.Command("make", "up"), out: &system.Log{}, done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = system.Root(), env
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, p.cmd.Start())
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(func() {
		// As Ctrl-C does: to the whole group of the terminal.
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT)
		select {
		case <-p.done:
		case <-time.After(time.Minute):
			_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		}
		if t.Failed() {
			t.Log(p.out.String())
		}
	})
	return p
}

func (p *upProcess) await(t *testing.T, text string, within time.Duration) {
	t.Helper()
	require.Eventually(t, func() bool {
		select {
		case <-p.done:
			return true
		default:
			return strings.Contains(p.out.String(), text)
		}
	}, within, 50*time.Millisecond)
	require.Contains(t, p.out.String(), text)
}
