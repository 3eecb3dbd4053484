package system

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

// RunTests runs a package's tests on stores that all of them share, then searches the logs of all systems that ran for secrets
// and for what customers wrote. It returns the exit code.
func RunTests(m *testing.M, use func(*Stores)) int {
	if err := Built(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "ke-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	_ = os.Chmod(dir, 0o711) //nolint:gosec // PostgreSQL runs as another user, who must get through
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	stores, err := StartStores(ctx, dir, false)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer stores.Stop()
	use(stores)
	return max(m.Run(), stores.leaks())
}

// leaks returns 1 and says where if anything leaked into a log.
func (s *Stores) leaks() int {
	found, err := s.Watch.Search()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for _, l := range found {
		fmt.Fprintln(os.Stderr, l)
	}
	return min(len(found), 1)
}
