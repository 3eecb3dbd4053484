package manifests

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/knobot/knobot/platform/env"
)

const (
	servingURL = "KNOBOT_DATABASE_URL"
	ownerURL   = "KNOBOT_MIGRATE_DATABASE_URL"
)

// foreign are prefixes of names that the Go runtime and the libraries in our programs read.
var foreign = []string{"OTEL_", "AWS_", "GOOGLE_", "GOMEMLIMIT", "GOMAXPROCS", "GOGC"}

// elsewhere are names that no pod of ours reads, with the reason.
var elsewhere = map[string]string{
	"KNOBOT_GATEWAY_ADDR":         "for the command line",
	"KNOBOT_PROFILE":              "for the command line",
	"KNOBOT_ADMIN_URL":            "for the command line",
	"KNOBOT_PUBLIC_URL":           "for the command line",
	"KNOBOT_ADMIN_ADDR":           "the management API stays on the pod's loopback, its default",
	"KNOBOT_DATA_DIR":             "for make up",
	"KNOBOT_SHARED_DIR":           "for tests",
	"KNOBOT_TEST_POSTGRES_URL":    "for tests",
	"KNOBOT_TEST_WEAVIATE_BINARY": "for tests",
}

// known says whether a program of ours, or what it is made of, reads a name.
func known(name string) bool {
	if slices.ContainsFunc(foreign, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
		return true
	}
	return slices.ContainsFunc(env.Names(), func(n env.Name) bool {
		return n.Name == name || n.Secret && n.Name+"_FILE" == name
	})
}

// Environment checks that our programs know every name that they are given, that those with a schema know their database, and
// that nobody but its migration knows a schema's owner.
func (s *Set) Environment() []string {
	var f faults
	for _, w := range s.Workloads() {
		for _, c := range w.containers() {
			p := program(c)
			if p == "" {
				continue
			}
			names := s.environmentOf(c)
			for _, n := range sortedKeys(names) {
				if !known(n) {
					f.add("%s/%s is given %s, which no program knows", w.Name, c.Name, n)
				}
			}
			stored := slices.Contains(services, p)
			if has := names[servingURL] != ""; has != stored {
				f.add("%s/%s has %s: %t", w.Name, c.Name, servingURL, has)
			}
			if has := names[ownerURL] != ""; has != slices.Contains(c.Args, "migrate") {
				f.add("%s/%s has %s: %t", w.Name, c.Name, ownerURL, has)
			}
		}
		if slices.ContainsFunc(w.containers(), func(c *corev1.Container) bool { return serves(c) }) &&
			!slices.ContainsFunc(w.Pod.InitContainers, func(c corev1.Container) bool { return slices.Equal(c.Args, []string{"migrate", "--wait"}) }) {
			f.add("nobody migrates the schema of %s", w.Name)
		}
	}
	return f
}

// environmentOf is what a container is given, as the kubelet puts it together: the later one of a name counts.
func (s *Set) environmentOf(c *corev1.Container) map[string]string {
	given := map[string]string{}
	for _, from := range c.EnvFrom {
		for _, m := range all[*corev1.ConfigMap](s) {
			if from.ConfigMapRef != nil && from.ConfigMapRef.Name == m.Name {
				maps.Copy(given, m.Data)
			}
		}
		for _, m := range all[*corev1.Secret](s) {
			if from.SecretRef != nil && from.SecretRef.Name == m.Name {
				for n, value := range m.Data {
					given[n] = string(value)
				}
			}
		}
	}
	for _, e := range c.Env {
		given[e.Name] = e.Value
	}
	return given
}

// Environments returns what each container that serves is given, by the name of its Deployment, and which program it runs.
func (s *Set) Environments() (given map[string]map[string]string, programs map[string]string) {
	given, programs = map[string]map[string]string{}, map[string]string{}
	for _, w := range s.Workloads() {
		for _, c := range w.containers() {
			if serves(c) {
				given[w.Name], programs[w.Name] = s.environmentOf(c), program(c)
			}
		}
	}
	return given, programs
}

// Unoffered returns the names that our programs know and the manifests neither set nor show as a comment in the files that
// production fills in: settings that nobody would find.
func Unoffered(root string, sets ...*Set) ([]string, error) {
	offered := map[string]string{}
	maps.Copy(offered, elsewhere)
	for _, s := range sets {
		for _, w := range s.Workloads() {
			for _, c := range w.containers() {
				maps.Copy(offered, s.environmentOf(c))
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(root, "k8s/overlays/production/secrets.example/*.env"))
	if err != nil {
		return nil, err
	}
	for _, path := range append(files, filepath.Join(root, "k8s/overlays/production/settings.env")) {
		shown, err := os.ReadFile(path) //nolint:gosec // a file of the repository
		if err != nil {
			return nil, err
		}
		for _, m := range assignment.FindAllSubmatch(shown, -1) {
			offered[string(m[1])] = path
		}
	}
	var missing []string
	for _, n := range env.Names() {
		if _, ok := offered[n.Name]; !ok {
			missing = append(missing, n.Name)
		}
	}
	return missing, nil
}

// ShownUnknown returns names that the files show, as set or as a comment, and no program knows.
func ShownUnknown(text string) []string {
	var unknown []string
	for _, m := range assignment.FindAllStringSubmatch(text, -1) {
		if !known(m[1]) {
			unknown = append(unknown, m[1])
		}
	}
	return unknown
}

var assignment = regexp.MustCompile(`(?m)^(?:# )?([A-Z][A-Z0-9_]+)=`)
