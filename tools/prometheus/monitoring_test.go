// Package monitoring checks what is watched in production with Prometheus' own parser: its rules, and the expressions of the
// dashboards, which ask only for what docs/observability.md lists.
package monitoring

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

const (
	component = "../../k8s/components/monitoring"
	docs      = "../../docs"
)

// rules are the alerts and records, parsed as Prometheus does.
func rules(t *testing.T) []rulefmt.Rule {
	t.Helper()
	groups, faults := rulefmt.ParseFile(filepath.Join(component, "alerts.yaml"), false, model.UTF8Validation, parser.NewParser(parser.Options{}),
		slog.New(slog.DiscardHandler))
	require.Empty(t, faults)
	var all []rulefmt.Rule
	for _, g := range groups.Groups {
		all = append(all, g.Rules...)
	}
	require.Greater(t, len(all), 15)
	return all
}

// documented are the names of the metrics that docs/observability.md lists, and whether each is a histogram.
func documented(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, "observability.md"))
	require.NoError(t, err)
	names := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(knobot_[a-z_]+)` \\| ([a-z]+) \\|").FindAllStringSubmatch(string(text), -1) {
		names[row[1]] = row[2] == "histogram"
	}
	require.Greater(t, len(names), 20)
	return names
}

// metrics are the names that an expression asks for, of histograms without their suffix.
func metrics(t *testing.T, expr string) []string {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	require.NoError(t, err, expr)
	var names []string
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			names = append(names, v.Name)
		}
		return nil
	})
	return names
}

func requireMeasured(t *testing.T, expr string, records []string) {
	t.Helper()
	known := documented(t)
	for _, name := range metrics(t, expr) {
		if slices.Contains(records, name) || strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") ||
			strings.HasPrefix(name, "kube_") || name == "up" {
			continue
		}
		base := name
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			if short, ok := strings.CutSuffix(name, suffix); ok && known[short] {
				base = short
			}
		}
		histogram, measured := known[base]
		require.True(t, measured, "%s asks for %s", expr, name)
		require.Equal(t, histogram, base != name, "%s asks for %s", expr, name)
	}
}

func recordsOf(all []rulefmt.Rule) []string {
	var names []string
	for _, r := range all {
		if r.Record != "" {
			names = append(names, r.Record)
		}
	}
	return names
}

func TestRulesAskForWhatIsMeasured(t *testing.T) {
	t.Parallel()
	all := rules(t)
	for _, r := range all {
		requireMeasured(t, r.Expr, recordsOf(all))
	}
}

func TestEveryAlertHasItsPage(t *testing.T) {
	t.Parallel()
	var pages []string
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		require.Contains(t, []string{"critical", "warning"}, r.Labels["severity"], r.Alert)
		require.NotEmpty(t, r.Annotations["summary"], r.Alert)
		require.True(t, strings.HasSuffix(r.Annotations["runbook_url"], "/docs/operations/"+r.Alert+".md"), r.Alert)
		page, err := os.ReadFile(filepath.Join(docs, "operations", r.Alert+".md"))
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(page), "# "+r.Alert+"\n"), r.Alert)
		pages = append(pages, r.Alert+".md")
	}
	written, err := filepath.Glob(filepath.Join(docs, "operations", "KnoBot*.md"))
	require.NoError(t, err)
	require.Len(t, written, len(pages), "a page without an alert is of no use")
}

// TestEveryAlertIsTried keeps an alert from being written that never rings: each is fired in alerts_test.yaml.
func TestEveryAlertIsTried(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(component, "alerts_test.yaml"))
	require.NoError(t, err)
	for _, r := range rules(t) {
		if r.Alert != "" {
			require.True(t, strings.Contains(string(text), "/docs/operations/"+r.Alert+".md"), "%s is expected nowhere", r.Alert)
		}
	}
}

// panel is what we read of one.
type panel struct {
	Title   string `json:"title"`
	Targets []struct {
		Expr string `json:"expr"`
	} `json:"targets"`
	Panels []panel `json:"panels"`
}

func TestDashboardsAskForWhatIsMeasured(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(component, "dashboards", "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 2)
	records := recordsOf(rules(t))
	variables := strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h", "$job", "knobot")
	var check func(p panel) int
	check = func(p panel) int {
		exprs := 0
		for _, target := range p.Targets {
			requireMeasured(t, variables.Replace(target.Expr), records)
			exprs++
		}
		for _, inner := range p.Panels {
			exprs += check(inner)
		}
		return exprs
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var board panel
		require.NoError(t, json.Unmarshal(text, &board), file)
		require.NotEmpty(t, board.Title)
		require.Greater(t, check(board), 8, file)
	}
}
