package access_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/access"
	"github.com/knobot/knobot/services/gateway/internal/admin"
	"github.com/knobot/knobot/services/gateway/internal/edge"
)

// routeOf returns the HTTP method and path of an RPC, with something in the place of variables; no path without a route.
func routeOf(m protoreflect.MethodDescriptor) (method, path string) {
	rule, _ := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	for method, path := range map[string]string{
		http.MethodGet: rule.GetGet(), http.MethodPost: rule.GetPost(), http.MethodPatch: rule.GetPatch(), http.MethodDelete: rule.GetDelete(),
	} {
		if path != "" {
			return method, regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(path, "x-1")
		}
	}
	return "", ""
}

// TestEveryRoute calls each REST route without a key, with each role below the one that its RPC needs, and with those that may.
func TestEveryRoute(t *testing.T) {
	t.Parallel()
	rate := access.Rate{PerSecond: 1e6, Burst: 1e6}
	b := setup(t, options{limits: access.Limits{Caller: rate, Address: rate, Failures: rate}, address: edge.RemoteAddress})
	handler, err := admin.NewHandler(t.Context(), b.conn, nil)
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	status := func(t *testing.T, method, path, secret string) int {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader("{}"))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		if secret != "" {
			request.Header.Set("Authorization", "Bearer "+secret)
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	secrets := map[gateway.Role]string{}
	for role := gateway.Viewer; role <= gateway.Owner; role++ {
		secrets[role] = b.secret(t, role, "")
	}
	table, routes := access.NewTable(), 0
	for name, m := range everyMethod() {
		method, path := routeOf(m)
		if path == "" || strings.HasPrefix(path, "/api/integrations/") {
			continue
		}
		routes++
		rule, ok := table.Rule(name)
		require.True(t, ok, name)
		require.False(t, rule.Peers || rule.Public, "%s has a route and is not for people", name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, http.StatusUnauthorized, status(t, method, path, ""))
			require.Equal(t, http.StatusUnauthorized, status(t, method, path, "knobot_x_y"))
			for role, secret := range secrets {
				got := status(t, method, path, secret)
				if role < rule.Role {
					require.Equal(t, http.StatusForbidden, got, role)
					continue
				}
				require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusInternalServerError}, got, role)
			}
		})
	}
	require.Greater(t, routes, 60)
}
