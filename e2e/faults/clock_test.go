package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/crowd"
	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/e2e/internal/system"
)

// readers are the files of services that read the machine's clock, and what for. None of it may decide who holds what, or when
// something is due: replicas' clocks differ, so that is the database's to say.
func readers() map[string]string {
	const measures, local = "measures how long something took", "a pause or a cache of this process"
	return map[string]string{
		"conversation/internal/dialogue/attend.go":     measures,
		"conversation/internal/dialogue/compose.go":    measures,
		"conversation/internal/dialogue/perceive.go":   measures,
		"conversation/internal/dialogue/worker.go":     local,
		"conversation/internal/answerer/senses.go":     local,
		"channels/internal/delivery/call.go":           measures,
		"channels/internal/delivery/run.go":            "WhatsApp's window of 24 hours, which WhatsApp itself decides in the end",
		"channels/internal/integration/integration.go": "times shown to people, and how long an old secret stays valid",
		"channels/internal/integration/background.go":  local,
		"channels/internal/integration/entry.go":       "how long an old secret stays valid",
		"channels/internal/telegram/inspect.go":        "findings shown to people",
		"channels/internal/whatsapp/token.go":          "findings shown to people",
		"conversation/internal/export/export.go":       "a time shown to people",
		"conversation/internal/subscriptions/post.go":  "the time that Standard Webhooks signs, and how long a subscriber asks to wait",
		"gateway/internal/admin/body.go":               "the deadline of a connection",
		"gateway/internal/admin/handler.go":            "the deadline of a connection",
		"gateway/internal/edge/traced.go":              measures,
		"gateway/internal/oidc/issuer.go":              local,
		"rag/internal/llm/meter.go":                    measures,
		"rag/internal/weaviate/metrics.go":             measures,
		"gateway/internal/edge/handler.go":             "the deadline of a connection",
		"rag/internal/orchestrator/models.go":          local,
		"rag/internal/evaluation/evaluation.go":        measures,
		"rag/internal/postgres/usage.go":               "the end of a report when nobody says one",
		"rag/internal/usage/usage.go":                  "the day on which an answer counts",
		"rag/internal/embedding/embedding.go":          local,
		"rag/internal/fetch/robots.go":                 local,
		"rag/internal/fetch/hosts.go":                  local,
		"rag/internal/weaviate/objects.go":             local,
	}
}

// TestLeasesAndDueTimesAreTheDatabasesClock finds every use of the machine's clock in the services: a new one must say what it
// is for.
func TestLeasesAndDueTimesAreTheDatabasesClock(t *testing.T) {
	t.Parallel()
	root := filepath.Join(system.Root(), "services")
	known, found := readers(), 0
	require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "test/") || strings.Contains(name, "fakeapi/") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), "time.Now()") {
			return err
		}
		found++
		require.Contains(t, known, filepath.ToSlash(name), "why does it read the machine's clock?")
		return nil
	}))
	require.Len(t, known, found, "each of them does")
}

// clocksDiffer runs one of two replicas of the services that hold turns and deliveries with a clock that is ten minutes fast, and then jumps to ten minutes slow,
// and kills either now and then, so that leases are taken over by the other.
func clocksDiffer(c *stage) {
	if !*long {
		c.Skip("building programs with another clock takes minutes: make test-faults")
	}
	skewed := buildSkewed(c)
	pairs := c.openTwice(set{})
	for name, path := range skewed {
		p := pairs[name]
		p[1].Kill()
		p[1].Runs(path)
		require.NoError(c, p[1].Start())
		require.NoError(c, p[1].WaitServing(c.ctx))
	}
	c.model.Make(model.Slowly(100 * time.Millisecond))
	c.during(crowd.Plan{Customers: 60, Every: 50 * time.Millisecond}, func(ctx context.Context) error {
		for n := range 12 {
			if err := pause(ctx, 3*time.Second); err != nil {
				return err
			}
			if err := kill(ctx, pairs["conversation"][n%2]); err != nil {
				return err
			}
		}
		return nil
	})
	r := c.close("clocks 20 minutes apart")
	require.Zero(c, r.Dead)
	require.Less(c, r.Answer.P99, time.Minute, "nothing waits for a clock")
}

// skew is what makes time.Now ten minutes fast for the first twenty seconds of a program, and ten minutes slow from then on. What
// is measured between two moments is not affected, as with a real clock that is set.
const skew = `
	if mono-startNano < 20e9 {
		sec += 600
	} else {
		sec -= 600
	}
`

// buildSkewed builds these services with another time.Now in Go's own library, and returns their paths: nothing of ours is changed.
func buildSkewed(c *stage) map[string]string {
	c.Helper()
	dir := c.TempDir()
	require.NoError(c, os.Chmod(dir, 0o755))
	goroot, err := exec.CommandContext(c.ctx, "go", "env", "GOROOT").Output()
	require.NoError(c, err)
	original := filepath.Join(strings.TrimSpace(string(goroot)), "src/time/time.go")
	text, err := os.ReadFile(original)
	require.NoError(c, err)
	const begin = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	require.Contains(c, string(text), begin, "this version of Go has another time.Now")
	replacement := filepath.Join(dir, "time.go")
	require.NoError(c, os.WriteFile(replacement, []byte(strings.Replace(string(text), begin, begin+skew, 1)), 0o600))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: replacement}})
	require.NoError(c, err)
	file := filepath.Join(dir, "overlay.json")
	require.NoError(c, os.WriteFile(file, overlay, 0o600))
	paths := map[string]string{}
	for _, name := range []string{"conversation", "channels"} {
		paths[name] = filepath.Join(dir, name)
		build := exec.CommandContext(c.ctx, "go", "build", "-overlay", file, "-trimpath", "-o", paths[name], fmt.Sprintf("./services/%s/cmd/%s", name, name))
		build.Dir, build.Env = system.Root(), append(os.Environ(), "CGO_ENABLED=0")
		output, err := build.CombinedOutput()
		require.NoError(c, err, string(output))
	}
	return paths
}
