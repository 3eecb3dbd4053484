package manifests

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

var ownMetric = regexp.MustCompile(`\bknobot_[a-z_]+\b`)

// Metrics are the names of our own that alerts and autoscalers ask for.
func (s *Set) Metrics() []string {
	var names []string
	for _, r := range all[*monitoringv1.PrometheusRule](s) {
		for _, g := range r.Spec.Groups {
			for _, rule := range g.Rules {
				names = append(names, ownMetric.FindAllString(rule.Expr.String(), -1)...)
			}
		}
	}
	for _, h := range all[*autoscalingv2.HorizontalPodAutoscaler](s) {
		for _, m := range h.Spec.Metrics {
			if m.External != nil {
				names = append(names, m.External.Metric.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Unmeasured returns the names that no source file below root measures. Most collectors say nothing before their first event, so
// that asking a running program would miss them. conversation writes its prefix once.
func Unmeasured(root string, names []string) ([]string, error) {
	var source strings.Builder
	for _, dir := range []string{"platform", "services"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path) //nolint:gosec // a file of the repository
			source.Write(text)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	text := source.String()
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		name = strings.TrimSuffix(strings.TrimSuffix(name, "_count"), "_bucket") // of a histogram
		short, ofConversation := strings.CutPrefix(name, "knobot_conversation_")
		return strings.Contains(text, `"`+name+`"`) || ofConversation && strings.Contains(text, `("`+short+`", "`)
	}), nil
}
