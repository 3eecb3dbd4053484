package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/knobot/knobot/e2e/internal/node"
	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

// under makes trouble while customers write, and goes on when some hundred more were answered afterwards.
func (c *trial) under(name string, trouble func(ctx context.Context)) {
	c.Helper()
	c.step(name, func(ctx context.Context) {
		p := phase{name: name, began: time.Now()}
		trouble(ctx)
		require.NoError(c, c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+writers))
		p.end = time.Now()
		c.phases = append(c.phases, p)
	})
}

// roll replaces every pod of ours, as a new version does.
func (c *trial) roll(ctx context.Context) {
	for _, d := range deployments {
		c.kubectl(ctx, "rollout", "restart", "deployment/"+d)
	}
	c.awaitServing(ctx)
}

// kill kills the program of one pod of each Deployment as the kernel would that runs out of memory.
func (c *trial) kill(ctx context.Context) {
	for _, d := range deployments {
		require.NoError(c, c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+10))
		victim := c.pods(ctx, d)[0]
		killed := 0
		for _, pid := range processes(c, victim) {
			require.NoError(c, syscall.Kill(pid, syscall.SIGKILL))
			killed++
		}
		require.Equal(c, 1, killed, "programs in %s", victim.Name)
		require.Eventually(c, func() bool {
			for _, p := range c.pods(ctx, d) {
				if p.UID == victim.UID {
					return p.Status.ContainerStatuses[0].RestartCount > victim.Status.ContainerStatuses[0].RestartCount && ready(p)
				}
			}
			return false
		}, time.Minute, 100*time.Millisecond, "%s starts again", victim.Name)
	}
}

// pods are the ready ones of a Deployment.
func (c *trial) pods(ctx context.Context, deployment string) []corev1.Pod {
	c.Helper()
	var list corev1.PodList
	require.NoError(c, json.Unmarshal([]byte(c.kubectl(ctx, "get", "pods", "-o", "json")), &list))
	return slices.DeleteFunc(list.Items, func(p corev1.Pod) bool {
		return !strings.HasPrefix(p.Name, deployment+"-") || p.DeletionTimestamp != nil
	})
}

func ready(p corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// processes are those of a pod's own program.
func processes(c *trial, p corev1.Pod) []int {
	c.Helper()
	var found []int
	entries, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(c, err)
	for _, entry := range entries {
		group, _ := os.ReadFile(filepath.Join(entry, "cgroup"))
		command, _ := os.ReadFile(filepath.Join(entry, "cmdline"))
		if strings.Contains(string(group), string(p.UID)) && strings.HasPrefix(string(command), "/program") {
			pid, err := strconv.Atoi(filepath.Base(entry))
			require.NoError(c, err)
			found = append(found, pid)
		}
	}
	return found
}

// drain empties the node of our pods as far as the disruption budgets let it: there is no other node that takes them, so that
// one pod of each stays.
func (c *trial) drain(ctx context.Context) {
	_, err := c.node.Kubectl(ctx, "drain", node.Name, "--delete-emptydir-data", "--timeout=30s",
		"--pod-selector=app.kubernetes.io/name in (gateway, conversation, rag, channels)")
	require.ErrorContains(c, err, "would violate the pod's disruption budget")
	for _, d := range deployments {
		left := slices.DeleteFunc(c.pods(ctx, d), func(p corev1.Pod) bool { return !ready(p) })
		require.Len(c, left, 1, "%s keeps one pod", d)
	}
	_, err = c.node.Kubectl(ctx, "uncordon", node.Name)
	require.NoError(c, err)
	c.awaitServing(ctx)
}

// restart replaces the pod of a store.
func (c *trial) restart(ctx context.Context, store string) {
	c.kubectl(ctx, "rollout", "restart", "statefulset/"+store)
	c.kubectl(ctx, "rollout", "status", "statefulset/"+store, "--timeout=120s")
}

// listen listens where pods reach the node.
func (c *trial) listen(ctx context.Context) net.Listener {
	c.Helper()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", node.Address+":0")
	require.NoError(c, err)
	return l
}

// account checks that every acknowledged question has its answer, once and in order, and what webhooks were answered in each
// phase. Nothing but 200 and 503 may come, or nothing from a gateway that was killed: all of it is delivered again.
func (c *trial) account() {
	r, err := c.crowd.Audit(c.Context())
	require.NoError(c, err)
	deliveries, err := c.phones.Deliveries(c.Context(), client.Filter{})
	require.NoError(c, err)
	for _, p := range c.phases {
		during := slices.DeleteFunc(slices.Clone(deliveries), func(d simulator.Delivery) bool {
			return d.Time.Before(p.began) || d.Time.After(p.end)
		})
		refused := refusals(during)
		_, _ = fmt.Fprintf(os.Stdout, "%6.1f s  %.0f webhooks/s, refused %v  %s\n", p.end.Sub(p.began).Seconds(),
			float64(len(during))/p.end.Sub(p.began).Seconds(), refused, p.name)
	}
	_, _ = fmt.Fprintln(os.Stdout, r)
	for status, n := range refusals(deliveries) {
		require.Contains(c, []int{http.StatusServiceUnavailable, 0}, status, "%d webhooks", n)
	}
	require.NoError(c, r.Err())
	require.Equal(c, r.Sent, r.Acknowledged, "every webhook was delivered in the end")
	require.Equal(c, r.Acknowledged, r.Answered, "every question has its answer")
}

// refusals counts the deliveries that were not accepted by their status, 0 where there was no answer.
func refusals(deliveries []simulator.Delivery) map[int]int {
	counts := map[int]int{}
	for _, d := range deliveries {
		if !d.Accepted {
			counts[d.Status]++
		}
	}
	return counts
}
