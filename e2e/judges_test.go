package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/system"
)

// judge prepares the programs by others that judge what is said on the wire (e2e/judges), or skips the test. They come from the
// npm registry, which is why they are asked for in words: make test-judges.
func judge(t *testing.T) {
	t.Helper()
	if os.Getenv("KNOBOT_TEST_JUDGES") == "" {
		t.Skip("needs the npm registry: make test-judges")
	}
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed, so the judges cannot run", name)
		}
	}
	if err := installed(); err != nil {
		t.Skipf("the judges cannot be installed: %v", err)
	}
}

func judges() string { return filepath.Join(system.Root(), "e2e", "judges") }

// installed installs the judges as the lock file has them, once.
var installed = sync.OnceValue(func() error { //nolint:gochecknoglobals // once for all tests
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = judges()
	out, err := install.CombinedOutput()
	if err != nil {
		_, _ = os.Stderr.Write(out)
	}
	return err
})

// asked gives a judge its question as JSON and decodes its verdict.
func asked[T any](t *testing.T, script string, question any) T {
	t.Helper()
	raw, err := json.Marshal(question)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	node := exec.CommandContext(ctx, "node", filepath.Join(judges(), script))
	var stderr bytes.Buffer
	node.Stdin, node.Stderr = bytes.NewReader(raw), &stderr
	out, err := node.Output()
	require.NoError(t, err, "%s", stderr.String())
	var verdict T
	require.NoError(t, json.Unmarshal(out, &verdict), "%s", out)
	return verdict
}

// posted is a webhook as it arrived.
type posted struct {
	body   []byte
	header http.Header
}

// hooks take webhooks and keep them.
type hooks struct {
	url string

	mu  sync.Mutex
	all []posted
}

func startHooks(t *testing.T) *hooks {
	t.Helper()
	h := &hooks{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.all = append(h.all, posted{body: body, header: r.Header})
		}
	}))
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

// await waits until so many webhooks have come.
func (h *hooks) await(t *testing.T, n int) []posted {
	t.Helper()
	var all []posted
	eventually(t, 30*time.Second, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		all = slices.Clone(h.all)
		return len(all) >= n
	}, "the webhooks come")
	return all
}
