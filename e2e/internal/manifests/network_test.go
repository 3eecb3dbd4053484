package manifests_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/knobot/knobot/e2e/internal/manifests"
)

const namespace = "knobot"

// outside are parties that are not in the namespace, with the ports on which they listen.
func outside() (map[string]manifests.Party, map[string][]manifests.Port) {
	tcp := func(n int32) manifests.Port { return manifests.Port{Number: n, Protocol: corev1.ProtocolTCP} }
	parties := map[string]manifests.Party{
		"internet":   {Name: "internet", Address: "157.240.0.1"},
		"intranet":   {Name: "intranet", Address: "10.1.2.3"},
		"metadata":   {Name: "metadata", Address: "169.254.169.254"},
		"dns":        {Name: "dns", Namespace: "kube-system", Labels: map[string]string{"k8s-app": "kube-dns"}, Address: "10.244.0.2"},
		"neighbour":  {Name: "neighbour", Namespace: "default", Labels: map[string]string{"app.kubernetes.io/name": "gateway"}, Address: "10.244.0.3"},
		"prometheus": {Name: "prometheus", Namespace: "monitoring", Address: "10.244.0.4"},
	}
	return parties, map[string][]manifests.Port{
		"internet": {tcp(80), tcp(443), tcp(5432), tcp(8080), tcp(22)}, "intranet": {tcp(443), tcp(5432)}, "metadata": {tcp(80)},
		"dns": {{Number: 53, Protocol: corev1.ProtocolUDP}, tcp(53), tcp(9153)}, "neighbour": {tcp(9100)}, "prometheus": {tcp(9090), tcp(4317)}, // a collector beside it
	}
}

// callTree is who talks to whom wherever KnoBot runs (docs/architecture/README.md); the gateway reaches rag for the management API.
func callTree() []string {
	return []string{
		"gateway -> conversation-api:9101", "gateway -> rag:9102", "gateway -> channels:9103",
		"conversation-api -> channels:9103",
		"conversation-worker -> rag:9102", "conversation-worker -> channels:9103",
		"channels -> internet:443", "conversation-worker -> internet:443", "rag -> internet:443", "rag -> internet:80",
		"internet -> gateway:9000", "intranet -> gateway:9000", "metadata -> gateway:9000", "dns -> gateway:9000",
		"neighbour -> gateway:9000", "prometheus -> gateway:9000",
	}
}

func expect(pods []string, more ...string) []string {
	edges := append(callTree(), more...)
	for _, p := range pods {
		edges = append(edges, p+" -> dns:53")
	}
	slices.Sort(edges)
	return edges
}

func services() []string {
	return []string{"gateway", "conversation-api", "conversation-worker", "rag", "channels", "backup", "restore"}
}

func edges(s *manifests.Set) []string { return manifests.NewNetwork(s, namespace).Edges(outside()) }

// TestNobodyTalksBeyondTheCallTree lists every connection that the policies allow: what is not in the list is forbidden.
func TestNobodyTalksBeyondTheCallTree(t *testing.T) {
	t.Parallel()

	t.Run("local", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, expect(append(services(), "postgres", "weaviate", "simulator"),
			"gateway -> postgres:5432", "conversation-api -> postgres:5432", "conversation-worker -> postgres:5432", "rag -> postgres:5432", "channels -> postgres:5432",
			"backup -> postgres:5432", "restore -> postgres:5432", "rag -> weaviate:8080", "rag -> weaviate:50051",
			"channels -> simulator:9800", "simulator -> gateway:9000",
		), edges(render(t, rendering{overlay: "local"})))
	})

	t.Run("production", func(t *testing.T) {
		t.Parallel()
		var databases []string
		for _, p := range services() {
			databases = append(databases, p+" -> internet:5432", p+" -> intranet:5432")
		}
		databases = append(databases, "rag -> internet:8080")
		require.Equal(t, expect(services(), databases...), edges(render(t, rendering{overlay: "production"})))

		var scraped []string
		for _, p := range services()[:5] {
			scraped = append(scraped, "prometheus -> "+p+":9200", p+" -> prometheus:4317")
		}
		require.Equal(t, expect(services(), append(scraped, databases...)...),
			edges(render(t, rendering{overlay: "production", components: []string{"monitoring", "mtls"}})))
	})

	t.Run("WithoutItsDenialAllIsOpen", func(t *testing.T) {
		t.Parallel()
		s := render(t, rendering{overlay: "production"})
		remove(s, "NetworkPolicy", "default-deny")
		require.Contains(t, edges(s), "internet -> conversation-worker:9101", "no other policy selects it")
	})

	for policy, edge := range map[string]string{
		"gateway-to-conversation":      "gateway -> conversation-api:9101",
		"conversation-from-gateway":    "gateway -> conversation-api:9101",
		"conversation-worker-to-rag":   "conversation-worker -> rag:9102",
		"rag-from-conversation-worker": "conversation-worker -> rag:9102",
		"channels-from-conversation":   "conversation-api -> channels:9103",
		"gateway-from-anywhere":        "internet -> gateway:9000",
		"channels-to-internet":         "channels -> internet:443",
	} {
		t.Run("Without "+policy, func(t *testing.T) {
			t.Parallel()
			s := render(t, rendering{overlay: "production"})
			require.Contains(t, edges(s), edge)
			remove(s, "NetworkPolicy", policy)
			require.NotContains(t, edges(s), edge, "both ends must allow it")
		})
	}
}
