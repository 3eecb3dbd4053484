package child_test

import (
	"errors"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/child"
)

func newThread(t *testing.T) *child.Thread {
	t.Helper()
	thread, err := child.NewThread(nil)
	require.NoError(t, err)
	t.Cleanup(thread.Close)
	return thread
}

func TestStopAsksFirst(t *testing.T) {
	t.Parallel()
	tail := &child.Tail{}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `trap 'echo asked; exit 0' TERM; echo up; while :; do sleep 0.01; done`)
	cmd.Stdout = tail
	p, err := child.Start(newThread(t), cmd, syscall.SIGTERM, 10*time.Second)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return tail.String() == "up" }, 5*time.Second, time.Millisecond)
	p.Stop()
	require.Equal(t, "up\nasked", tail.String())
	p.Stop() // again does nothing
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	tail := &child.Tail{}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `trap '' TERM; echo up; while :; do sleep 0.01; done`)
	cmd.Stdout = tail
	p, err := child.Start(newThread(t), cmd, syscall.SIGTERM, 50*time.Millisecond)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return tail.String() == "up" }, 5*time.Second, time.Millisecond)
	p.Stop()
	select {
	case <-p.Done():
	default:
		t.Fatal("still running")
	}
}

func TestChildOutlivesGoroutinesAndTheirThreads(t *testing.T) {
	t.Parallel()
	thread := newThread(t)
	p, err := child.Start(thread, exec.CommandContext(t.Context(), "sleep", "60"), syscall.SIGTERM, time.Second)
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	ended := make(chan struct{})
	for range 20 { // goroutines that end locked take their threads with them
		go func() { runtime.LockOSThread(); ended <- struct{}{} }()
	}
	for range 20 {
		<-ended
	}
	require.NoError(t, syscall.Kill(p.PID(), 0))
	select {
	case <-p.Done():
		t.Fatal("the child died with a thread of ours")
	default:
	}
}

func TestThreadReportsWhatKeptItFromStarting(t *testing.T) {
	t.Parallel()
	_, err := child.NewThread(func() error { return errors.New("not permitted") })
	require.EqualError(t, err, "not permitted")
}

func TestClosedThreadStartsNothing(t *testing.T) {
	t.Parallel()
	thread, err := child.NewThread(nil)
	require.NoError(t, err)
	thread.Close()
	require.False(t, thread.Do(func() {}))
	_, err = child.Start(thread, exec.CommandContext(t.Context(), "true"), syscall.SIGTERM, time.Second)
	require.Error(t, err)
}

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	tail := &child.Tail{Next: &all}
	_, err := tail.Write([]byte(strings.Repeat("x", 10000)))
	require.NoError(t, err)
	_, err = tail.Write([]byte("end\n"))
	require.NoError(t, err)
	require.Len(t, tail.String(), 4095)
	require.True(t, strings.HasSuffix(tail.String(), "xend"))
	require.Equal(t, 10004, all.Len())
}
