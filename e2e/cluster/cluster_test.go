// Package cluster runs KnoBot on a real Kubernetes of one node (see package node) as k8s/overlays/local describes it, and takes
// everything away that may go missing there while customers write. It is opt-in: make test-cluster.
package cluster

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/node"
	"github.com/knobot/knobot/e2e/internal/system"
)

// timeout is for everything but building.
const timeout = 15 * time.Minute

// TestCluster is what docs/kubernetes.md says, tried. Each step prints how long it took.
func TestCluster(t *testing.T) { //nolint:paralleltest // it takes the machine
	if os.Getenv("KNOBOT_TEST_CLUSTER") == "" {
		t.Skip("opt-in, because it takes root and minutes: make test-cluster")
	}
	if !node.Inside() {
		require.NoError(t, system.Built())
		node.Enter(t, timeout)
		return
	}
	c := start(t)
	c.step("apply -k k8s/overlays/local, until everything serves", c.apply)
	c.step("a newcomer's first question", c.firstQuestion)
	c.step("a backup", c.backUp)
	c.step("what the trial needs", c.prepare)
	c.step("customers begin to write", c.write)
	for _, trouble := range []struct {
		name string
		make func(ctx context.Context)
	}{
		{"every Deployment rolls", c.roll},
		{"a container of each Deployment is killed", c.kill},
		{"the node is drained", c.drain},
		{"PostgreSQL restarts", func(ctx context.Context) { c.restart(ctx, "postgres") }},
		{"Weaviate restarts", func(ctx context.Context) { c.restart(ctx, "weaviate") }},
	} {
		c.under(trouble.name, trouble.make)
	}
	c.step("everything settles", c.settle)
	c.account()
	c.step("mutual TLS between the services", c.encrypt)
	c.step("the database is lost and restored", c.restore)
}

// start starts the node and says how long it took to be ready.
func start(t *testing.T) *trial {
	t.Helper()
	c := &trial{T: t, forwards: map[string]func(){}}
	images := t.TempDir()
	var files []string
	c.step("images of this build", func(context.Context) { files = archives(t, images) })
	c.step("node ready", func(ctx context.Context) {
		n, err := node.Start(ctx, filepath.Join(system.Root(), "bin"), pauseImage, files)
		require.NoError(t, err)
		c.node = n
	})
	t.Cleanup(func() {
		if t.Failed() {
			c.explain()
		}
	})
	return c
}
