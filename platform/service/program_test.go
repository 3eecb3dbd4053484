package service

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/knobot/knobot/platform/env"
)

const (
	eventually = 10 * time.Second
	tick       = 5 * time.Millisecond
)

// testConfig is a service's configuration.
type testConfig struct {
	Config
	DatabaseURL env.Secret `env:"KNOBOT_DATABASE_URL"`
	Workers     int        `env:"KNOBOT_WORKERS" envDefault:"2"`
}

// output collects what a program writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// lines returns the log lines with the given message.
func (o *output) lines(msg string) []map[string]any {
	var out []map[string]any
	for _, line := range strings.Split(o.String(), "\n") {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) == nil && fields["msg"] == msg {
			out = append(out, fields)
		}
	}
	return out
}

// running is a program in the background.
type running struct {
	t       *testing.T
	program *program[testConfig]
	stderr  *output
	stdout  *output
	signals chan os.Signal
	exit    chan int
}

// newProgram is a program on free ports that drains fast.
func newProgram(t *testing.T, run Run[testConfig], environ ...string) *running {
	t.Helper()
	r := &running{t: t, stderr: &output{}, stdout: &output{}, signals: make(chan os.Signal, 2), exit: make(chan int, 1)}
	r.program = &program[testConfig]{
		name: "tested", defaults: Defaults{GRPCAddr: "127.0.0.1:0", DebugAddr: "127.0.0.1:0"}, run: run,
		environ: append([]string{"KNOBOT_DRAIN=50ms"}, environ...),
		signals: r.signals, stdout: r.stdout, stderr: r.stderr,
	}
	return r
}

// start runs it and waits until it is ready.
func (r *running) start() *running {
	r.t.Helper()
	go func() { r.exit <- r.program.main(context.Background()) }()
	require.Eventually(r.t, func() bool { return len(r.stderr.lines("ready")) == 1 }, eventually, tick, "%s", r.stderr)
	r.t.Cleanup(func() { // whatever the test did not stop
		r.signals <- syscall.SIGTERM
		r.signals <- syscall.SIGTERM
	})
	return r
}

func (r *running) main(args ...string) int {
	r.program.args = args
	return r.program.main(r.t.Context())
}

// addr returns the address that a listener got.
func (r *running) addr(listener string) string {
	r.t.Helper()
	for _, line := range r.stderr.lines("listening") {
		if line["listener"] == listener {
			return line["addr"].(string)
		}
	}
	r.t.Fatalf("no listener %s in %s", listener, r.stderr)
	return ""
}

func (r *running) wait() int {
	r.t.Helper()
	select {
	case code := <-r.exit:
		return code
	case <-time.After(eventually):
		r.t.Fatalf("still running: %s", r.stderr)
		return -1
	}
}

func (r *running) conn() *grpc.ClientConn {
	r.t.Helper()
	conn, err := grpc.NewClient(r.addr("grpc"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// healthOf returns the state of a health service's name, or "" where nobody
// answers.
func healthOf(ctx context.Context, conn *grpc.ClientConn, name string) string {
	resp, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{Service: name})
	if err != nil {
		return ""
	}
	return resp.GetStatus().String()
}

func serve(ctx context.Context, _ testConfig, s *Service) error { return s.Serve(ctx) }
