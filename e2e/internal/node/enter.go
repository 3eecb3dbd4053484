// Package node is a Kubernetes of one node on the machine that a test runs on, and in namespaces of its own: etcd, the API server,
// controllers, scheduler, kubelet, containerd, kube-proxy and CoreDNS, as real as elsewhere. Ports, routes, packet filters, mounts
// and processes are those of the namespaces and end with them. It needs root and Debian's packages (see scripts/cluster). Tried on Debian
// 12 with the first version of control groups.
//
// What it is not: nothing enforces NetworkPolicies, no metrics reach autoscalers, and no controller reads Ingresses.
package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stateVariable names the folder of a node to the process inside of it.
const stateVariable = "KNOBOT_TEST_NODE"

// cgroupRoot is the control group of all pods.
const cgroupRoot = "knobot-test-cluster"

// Inside reports whether this process is the first one of a node's namespaces.
func Inside() bool { return os.Getenv(stateVariable) != "" }

// Enter runs the test that calls it once more, inside of new namespaces, and fails if it fails there or leaves anything behind.
func Enter(t *testing.T, timeout time.Duration) {
	t.Helper()
	state, err := os.MkdirTemp("", "knobot-node-")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout="+timeout.String())
	cmd.Env = append(os.Environ(), stateVariable+"="+state)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL, // a test that is ended takes its node along
	}
	runtime.LockOSThread() // the signal comes when the thread that started the process ends
	defer runtime.UnlockOSThread()
	failed := cmd.Run()
	require.NoError(t, errors.Join(failed, sweep(state)))
	require.Empty(t, leftovers(t, state), "what stays behind")
}

// sweep removes what outlives the namespaces: files and control groups.
func sweep(state string) error {
	var errs []error
	roots, err := filepath.Glob("/sys/fs/cgroup/*/" + cgroupRoot)
	errs = append(errs, err)
	for _, root := range append(roots, "/sys/fs/cgroup/"+cgroupRoot) {
		errs = append(errs, removeGroups(root))
	}
	return errors.Join(append(errs, os.RemoveAll(state))...)
}

// removeGroups removes a tree of control groups. Those of processes that are just ending go a moment later.
func removeGroups(root string) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var err error
	for range 50 {
		var groups []string
		_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				groups = append(groups, path)
			}
			return nil
		})
		slices.Reverse(groups) // the inner ones first
		err = nil
		for _, group := range groups {
			err = errors.Join(err, syscall.Rmdir(group))
		}
		if err == nil {
			return nil
		}
		<-tick.C
	}
	return fmt.Errorf("control groups: %w", err)
}

// leftovers are mounts and processes that a node left outside of its namespaces.
func leftovers(t *testing.T, state string) []string {
	t.Helper()
	var found []string
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, state) {
			found = append(found, line)
		}
	}
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, line := range lines {
		command, _ := os.ReadFile(line) //nolint:gosec // a process may have ended
		if strings.Contains(string(command), state) {
			found = append(found, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return found
}
