package system

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// Program is one of our built binaries with its environment. It can be killed and started again.
type Program struct {
	Name    string
	Address string // gRPC or HTTP address, by kind
	path    string
	args    []string
	env     []string
	log     *Log

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
}

// Start starts the program; it must not be running.
func (p *Program) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	cmd := exec.Command(p.path, p.args...) //nolint:noctx // ended by Signal
	cmd.Env = slices.Clone(p.env)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	p.cmd, p.done = cmd, done
	return nil
}

// Runs has the program run from another file from its next start on.
func (p *Program) Runs(path string) { p.path = path }

// Signal sends a signal and waits until the program has ended, at most 30 s; then it is killed.
func (p *Program) Signal(sig os.Signal) {
	p.mu.Lock()
	cmd, done := p.cmd, p.done
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(sig)
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		_ = cmd.Process.Kill()
		<-done
	}
}

// Kill ends the program at once, as a crash or an out-of-memory kill would.
func (p *Program) Kill() { p.Signal(syscall.SIGKILL) }

// Stop asks the program to end in order.
func (p *Program) Stop() { p.Signal(syscall.SIGTERM) }

// PID returns the process id of the last start.
func (p *Program) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd.Process.Pid
}

// Listener returns the address of one of its listeners by its name in the log, empty before it is open.
func (p *Program) Listener(name string) string {
	address := ""
	for line := range strings.Lines(p.log.String()) {
		var said struct{ Msg, Listener, Addr string }
		if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "listening" && said.Listener == name {
			address = said.Addr // of the last start
		}
	}
	return address
}

// Log returns what it printed over all its starts.
func (p *Program) Log() *Log { return p.log }

// WaitServing waits until the program's health says SERVING.
func (p *Program) WaitServing(ctx context.Context) error {
	conn, err := grpc.NewClient(p.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{})
		if err == nil && r.GetStatus() == healthv1.HealthCheckResponse_SERVING {
			return nil
		}
		conn.ResetConnectBackoff()
		select {
		case <-tick.C:
		case <-p.done:
			return fmt.Errorf("%s ended while starting:\n%s", p.Name, p.log.Tail(4000))
		case <-ctx.Done():
			return fmt.Errorf("%s is not serving: %w\n%s", p.Name, ctx.Err(), p.log.Tail(4000))
		}
	}
}

// runOnce runs the program with arguments to its end.
func (p *Program) runOnce(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Env = p.env
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %v: %w\n%s", p.Name, args, err, p.log.Tail(4000))
	}
	return nil
}
