package child

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Process is a running child.
type Process struct {
	cmd     *exec.Cmd
	ask     syscall.Signal
	patient time.Duration
	done    chan struct{}
}

// Command is exec.CommandContext, named here so that there is one place at which
// programs are started whose paths come from the machine's set-up.
func Command(ctx context.Context, bin string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, bin, args...) //nolint:gosec // the operator's own programs
}

// Start starts cmd from the thread. The signal asks it to end: Stop sends it,
// and the kernel does if we are killed. Ctrl-C in our terminal doesn't reach
// it, so that it can be stopped last. After patience, Stop kills it.
func Start(t *Thread, cmd *exec.Cmd, ask syscall.Signal, patience time.Duration) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	setDeathSignal(cmd.SysProcAttr, ask)
	if err := t.start(cmd); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, ask: ask, patient: patience, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // that it ended is known; the code says nothing more
	}()
	return p, nil
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Stop asks the process to end, kills it if it does not, and returns when it
// has ended. It does nothing to a nil or ended process.
func (p *Process) Stop() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Signal(p.ask)
	timer := time.NewTimer(p.patient)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		_ = p.cmd.Process.Signal(os.Kill)
		<-p.done
	}
}
