// Package child runs programs that end when we do, even if we are killed.
package child

import (
	"net"
	"os/exec"
	"runtime"
)

// Thread is an operating system thread that children are started from.
//
// The parent death signal is bound to the thread that forked, not to the
// process: a child started from an ordinary goroutine is ended whenever the Go
// runtime ends that goroutine's thread, which can be at any time.
type Thread struct {
	jobs chan func()
	done chan struct{}
}

// NewThread starts a thread and runs enter on it, which may change the thread,
// such as by a network namespace; nil changes nothing. The thread is never
// given back to the runtime: no other goroutine may run on a changed one.
func NewThread(enter func() error) (*Thread, error) {
	t := &Thread{jobs: make(chan func()), done: make(chan struct{})}
	entered := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		var err error
		if enter != nil {
			err = enter()
		}
		entered <- err
		if err == nil {
			t.work()
		}
	}()
	return t, <-entered
}

func (t *Thread) work() {
	for {
		select {
		case job := <-t.jobs:
			job()
		case <-t.done:
			return
		}
	}
}

// Do runs f on the thread and waits for it. It returns false, without running
// f, once the thread is closed.
func (t *Thread) Do(f func()) bool {
	finished := make(chan struct{})
	select {
	case t.jobs <- func() { defer close(finished); f() }:
		<-finished
		return true
	case <-t.done:
		return false
	}
}

// Close ends the thread, and with it whatever it started. Call it once.
func (t *Thread) Close() { close(t.done) }

func (t *Thread) start(cmd *exec.Cmd) error {
	err := net.ErrClosed
	t.Do(func() { err = cmd.Start() })
	return err
}
