package manifests_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/knobot/knobot/e2e/internal/manifests"
	"github.com/knobot/knobot/e2e/internal/system"
)

// rendering is what people apply, and what they may add to it.
type rendering struct {
	overlay    string
	components []string
}

func renderings() map[string]rendering {
	return map[string]rendering{
		"local":                        {"local", nil},
		"local, watched":               {"local", []string{"monitoring"}},
		"production":                   {"production", nil},
		"production, mutual TLS":       {"production", []string{"mtls"}},
		"production, watched, and TLS": {"production", []string{"monitoring", "mtls"}},
	}
}

// rendered keeps what was rendered: that takes most of a test's time, and each changes its copy.
var rendered sync.Map

func render(t *testing.T, r rendering) *manifests.Set {
	t.Helper()
	once, _ := rendered.LoadOrStore(fmt.Sprint(r), sync.OnceValues(func() (*manifests.Set, error) {
		return manifests.Render(system.Root(), r.overlay, r.components...)
	}))
	s, err := once.(func() (*manifests.Set, error))()
	require.NoError(t, err)
	return s.Copy()
}

func TestManifestsHaveNoFaults(t *testing.T) {
	t.Parallel()
	for name, r := range renderings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Empty(t, render(t, r).Faults())
		})
	}
}

// object returns the one of a kind and name, to break it.
func object[T interface {
	runtime.Object
	GetName() string
}](t *testing.T, s *manifests.Set, name string,
) T {
	t.Helper()
	for _, o := range s.Objects {
		if o, ok := o.(T); ok && o.GetName() == name {
			return o
		}
	}
	require.FailNow(t, "there is no "+name)
	panic("unreachable")
}

// TestFaultsAreFound breaks what is right, one thing at a time: a check that finds nothing then would never find anything.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	deployment := func(t *testing.T, s *manifests.Set, name string) *appsv1.Deployment {
		t.Helper()
		return object[*appsv1.Deployment](t, s, name)
	}
	container := func(t *testing.T, s *manifests.Set, name string) *corev1.Container {
		t.Helper()
		return &deployment(t, s, name).Spec.Template.Spec.Containers[0]
	}
	for want, spoil := range map[string]func(t *testing.T, s *manifests.Set){
		"the selector of rag is wrong about the pods of channels": func(t *testing.T, s *manifests.Set) {
			deployment(t, s, "channels").Spec.Template.Labels["app.kubernetes.io/name"] = "rag"
		},
		"the Service rag selects no pods": func(t *testing.T, s *manifests.Set) {
			object[*corev1.Service](t, s, "rag").Spec.Selector["app.kubernetes.io/name"] = "rack"
		},
		`port "grpc" of the Service rag is not the port grpc of the pods of rag`: func(t *testing.T, s *manifests.Set) {
			container(t, s, "rag").Ports[0].ContainerPort = 9999
		},
		"the pods of rag spread by labels that they lack": func(t *testing.T, s *manifests.Set) {
			deployment(t, s, "rag").Spec.Template.Spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels["app.kubernetes.io/name"] = "x"
		},
		"rag has replicas and an autoscaler": func(t *testing.T, s *manifests.Set) {
			deployment(t, s, "rag").Spec.Replicas = new(int32)
		},
		"nobody says how many pods gateway has": func(_ *testing.T, s *manifests.Set) {
			remove(s, "HorizontalPodAutoscaler", "gateway")
		},
		"channels has 0 disruption budgets []": func(_ *testing.T, s *manifests.Set) {
			remove(s, "PodDisruptionBudget", "channels")
		},
		"the budget channels does not let one pod go at a time": func(t *testing.T, s *manifests.Set) {
			object[*policyv1.PodDisruptionBudget](t, s, "channels").Spec.MaxUnavailable.IntVal = 0
		},
		`the readiness probe of gateway asks for "knobot.gateway.v2.WebhookService", which has no health`: func(t *testing.T, s *manifests.Set) {
			name := "knobot.gateway.v2.WebhookService"
			container(t, s, "gateway").ReadinessProbe.GRPC.Service = &name
		},
		`the liveness probe of gateway asks for ""`: func(t *testing.T, s *manifests.Set) {
			container(t, s, "gateway").LivenessProbe.GRPC.Service = nil
		},
		"the startup probe of gateway asks port 9109, which it does not have": func(t *testing.T, s *manifests.Set) {
			container(t, s, "gateway").StartupProbe.GRPC.Port = 9109
		},
		"rag has no readiness probe by gRPC": func(t *testing.T, s *manifests.Set) { container(t, s, "rag").ReadinessProbe = nil },
		"rag may be killed before its stop of 45s is over": func(t *testing.T, s *manifests.Set) {
			*deployment(t, s, "rag").Spec.Template.Spec.TerminationGracePeriodSeconds = 30
		},
		`rag serves on for "1s" when it stops, and callers need 3s to notice`: func(t *testing.T, s *manifests.Set) {
			c := container(t, s, "rag")
			c.Env = append(c.Env, corev1.EnvVar{Name: "KNOBOT_DRAIN", Value: "1s"})
		},
		"rag/rag is not confined": func(t *testing.T, s *manifests.Set) {
			container(t, s, "rag").SecurityContext.ReadOnlyRootFilesystem = new(bool)
		},
		"rag may run as root": func(t *testing.T, s *manifests.Set) {
			*deployment(t, s, "rag").Spec.Template.Spec.SecurityContext.RunAsUser = 0
		},
		"rag gets a token of the API server": func(t *testing.T, s *manifests.Set) {
			deployment(t, s, "rag").Spec.Template.Spec.AutomountServiceAccountToken = nil
		},
		"rag/rag has no limit of memory": func(t *testing.T, s *manifests.Set) {
			delete(container(t, s, "rag").Resources.Limits, corev1.ResourceMemory)
		},
		"rag needs the Secret knobot-nothing, which is not there": func(t *testing.T, s *manifests.Set) {
			container(t, s, "rag").EnvFrom[1].SecretRef.Name = "knobot-nothing"
		},
		`rag is in the namespace "default"`: func(t *testing.T, s *manifests.Set) {
			object[*corev1.Service](t, s, "rag").Namespace = "default"
		},
		"the Service gateway is of type LoadBalancer": func(t *testing.T, s *manifests.Set) {
			object[*corev1.Service](t, s, "gateway").Spec.Type = corev1.ServiceTypeLoadBalancer
		},
		"the Service rag is not headless: gRPC clients would stay with one pod": func(t *testing.T, s *manifests.Set) {
			object[*corev1.Service](t, s, "rag").Spec.ClusterIP = ""
		},
		"the Ingress webhooks exposes / (Exact)": func(t *testing.T, s *manifests.Set) {
			object[*networkingv1.Ingress](t, s, "webhooks").Spec.Rules[0].HTTP.Paths[0].Path = "/"
		},
		"the Ingress webhooks leaves /api/integrations/webhooks/telegram out": func(t *testing.T, s *manifests.Set) {
			http := object[*networkingv1.Ingress](t, s, "webhooks").Spec.Rules[0].HTTP
			http.Paths = http.Paths[:2]
		},
		"rag/rag is given KNOBOT_CASH_DIR, which no program knows": func(t *testing.T, s *manifests.Set) {
			container(t, s, "rag").Env[1].Name = "KNOBOT_CASH_DIR"
		},
		"rag/rag has KNOBOT_MIGRATE_DATABASE_URL: true": func(t *testing.T, s *manifests.Set) {
			pod := &deployment(t, s, "rag").Spec.Template.Spec
			pod.Containers[0].EnvFrom = pod.InitContainers[0].EnvFrom
		},
		"nobody migrates the schema of rag": func(t *testing.T, s *manifests.Set) {
			deployment(t, s, "rag").Spec.Template.Spec.InitContainers = nil
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			s := render(t, rendering{overlay: "production"})
			spoil(t, s)
			require.Contains(t, s.Faults(), want)
		})
	}
}

// remove takes an object away.
func remove(s *manifests.Set, kind, name string) {
	var left []runtime.Object
	for _, o := range s.Objects {
		named, ok := o.(interface{ GetName() string })
		if ok && named.GetName() == name && o.GetObjectKind().GroupVersionKind().Kind == kind {
			continue
		}
		left = append(left, o)
	}
	s.Objects = left
}

func TestMisspeltFieldsAreRefused(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		`unknown field "spec.replica"`: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replica: 2}",
		`unknown field "spec.endpoint"`: "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: x}\n" +
			"spec: {endpoint: [], selector: {}}",
		"no kind": "apiVersion: apps/v1\nkind: Deploiment\nmetadata: {name: x}",
	} {
		_, err := manifests.Decode([]byte(text))
		require.ErrorContains(t, err, what)
	}
}

func TestEverySettingIsOffered(t *testing.T) {
	t.Parallel()
	all := []*manifests.Set{
		render(t, rendering{overlay: "local"}),
		render(t, rendering{overlay: "production", components: []string{"monitoring", "mtls"}}),
	}
	missing, err := manifests.Unoffered(system.Root(), all...)
	require.NoError(t, err)
	require.Empty(t, missing)

	withoutTLS, err := manifests.Unoffered(system.Root(), all[0])
	require.NoError(t, err)
	require.Contains(t, withoutTLS, "KNOBOT_TLS_CERT_FILE", "what nobody sets or shows is found")

	settings, err := os.ReadFile(filepath.Join(system.Root(), "k8s/overlays/production/settings.env"))
	require.NoError(t, err)
	require.Empty(t, manifests.ShownUnknown(string(settings)))
	require.Equal(t, []string{"KNOBOT_DEBUNCE"}, manifests.ShownUnknown("KNOBOT_DEBOUNCE=1s\n# KNOBOT_DEBUNCE=1s\n"))
}

func TestAlertsAndAutoscalersAskForWhatIsMeasured(t *testing.T) {
	t.Parallel()
	names := render(t, rendering{overlay: "production", components: []string{"monitoring"}}).Metrics()
	require.Contains(t, names, "knobot_conversation_turns_overdue_seconds")
	require.GreaterOrEqual(t, len(names), 5)
	missing, err := manifests.Unmeasured(system.Root(), append(names, "knobot_conversation_turns_overdue_minutes", "knobot_nothing"))
	require.NoError(t, err)
	require.Equal(t, []string{"knobot_conversation_turns_overdue_minutes", "knobot_nothing"}, missing)
}

// TestProductionHasNoPasswordOfTheTrial keeps what everybody can read out of what is real.
func TestProductionHasNoPasswordOfTheTrial(t *testing.T) {
	t.Parallel()
	require.Contains(t, string(render(t, rendering{overlay: "local"}).YAML), "knobot/simulator", "the trial has its stand-ins")
	production := string(render(t, rendering{overlay: "production"}).YAML)
	trial := 0
	for _, o := range render(t, rendering{overlay: "local"}).Objects {
		secret, ok := o.(*corev1.Secret)
		if !ok {
			continue
		}
		for name, value := range secret.Data {
			if name == "PGDATABASE" || name == "PGUSER" || name == "PGHOST" {
				continue // names of roles and servers
			}
			trial++
			require.NotContains(t, production, string(value), name)
		}
	}
	require.Greater(t, trial, 20)
	require.NotContains(t, production, "simulator")
}
