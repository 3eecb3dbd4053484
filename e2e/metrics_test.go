package e2e

import (
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	prommodel "github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/collector"
	"github.com/knobot/knobot/e2e/internal/manifests"
	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/e2e/internal/system"
)

// listed is a row of the list of metrics.
type listed struct {
	kind, help string
	labels     []string
}

// metricsList reads docs/observability.md.
func metricsList(t *testing.T) map[string]listed {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(system.Root(), "docs/observability.md"))
	require.NoError(t, err)
	list := map[string]listed{}
	rows := regexp.MustCompile("(?m)^\\| `(knobot_[a-z_]+)` \\| ([a-z]+) \\| ([a-z, –]+) \\| [a-z]+ \\| (.+) \\|$")
	for _, row := range rows.FindAllStringSubmatch(string(text), -1) {
		l := listed{kind: row[2], help: row[4]}
		if row[3] != "–" {
			l.labels = strings.Split(row[3], ", ")
		}
		list[row[1]] = l
	}
	return list
}

// scrape asks a service for its metrics as Prometheus does, in a format.
func scrape(t *testing.T, p *system.Program, accept string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.Listener("debug")+"/metrics", http.NoBody)
	require.NoError(t, err)
	request.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}

func families(t *testing.T, text string) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(prommodel.UTF8Validation)
	all, err := parser.TextToMetricFamilies(strings.NewReader(text))
	require.NoError(t, err)
	maps.DeleteFunc(all, func(name string, _ *dto.MetricFamily) bool { return !strings.HasPrefix(name, "knobot_") })
	return all
}

// TestMetricsAreThoseOfTheList holds what the services measure against the list that people read, and its labels against what
// would make a series of every customer.
func TestMetricsAreThoseOfTheList(t *testing.T) {
	t.Parallel()
	list := metricsList(t)
	missing, err := manifests.Unmeasured(system.Root(), slices.Collect(maps.Keys(list)))
	require.NoError(t, err)
	require.Empty(t, missing, "the list names what nobody measures")

	m, traces, c := model.Start(t), collector.Start(t), newCanaries()
	env := m.Environment()
	maps.Copy(env, traces.Environment())
	s := start(t, env)
	require.NoError(t, s.Store(t.Context(), "horario.md", hours))
	whatsAppCustomer(t, s, c.phone+"01").ask(saturday)
	telegramCustomer(t, s, c.chat, "ana").ask(saturday)
	seen := map[string]bool{}
	eventually(t, 30*time.Second, func() bool {
		for _, p := range s.Services() {
			for name, f := range families(t, scrape(t, p, "text/plain")) {
				requireListed(t, list, name, f)
				seen[name] = true
			}
		}
		return seen["knobot_conversation_reports_total"] && seen["knobot_conversation_answer_own_seconds"] && seen["knobot_rag_llm_tokens_total"]
	}, "what two questions leave behind")
	require.Greater(t, len(seen), 20)

	require.Regexp(t, `knobot_gateway_webhook_seconds_bucket\{[^}]*\} \d+ # \{trace_id="[0-9a-f]{32}"\}`,
		scrape(t, s.Gateway, "application/openmetrics-text"), "an exemplar leads to a trace")
	for _, p := range s.Services() {
		leak, leaked := stores.Watch.Text(p.Name, scrape(t, p, "text/plain"))
		require.False(t, leaked, "%s", leak)
	}
}

// requireListed checks a family's name, help, kind and labels.
func requireListed(t *testing.T, list map[string]listed, name string, f *dto.MetricFamily) {
	t.Helper()
	row, ok := list[name]
	require.True(t, ok, "%s is not in docs/observability.md", name)
	require.Equal(t, row.help, f.GetHelp(), name)
	require.Equal(t, row.kind, strings.ToLower(f.GetType().String()), name)
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			require.Contains(t, row.labels, l.GetName(), name)
			require.NotRegexp(t, `[0-9]{7}|[0-9a-f]{8}-[0-9a-f]{4}`, l.GetValue(), "%s names somebody in %s", name, l.GetName())
		}
	}
}
