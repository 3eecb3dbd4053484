package access_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/knobot/knobot/gen/knobot/channels/v1"
	_ "github.com/knobot/knobot/gen/knobot/conversation/v1"
	_ "github.com/knobot/knobot/gen/knobot/gateway/v1"
	_ "github.com/knobot/knobot/gen/knobot/rag/v1"
	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/access"
)

// everyMethod is every RPC of every service, by package.Service/Method.
func everyMethod() map[string]protoreflect.MethodDescriptor {
	found := map[string]protoreflect.MethodDescriptor{}
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(file.Package()), "knobot.") {
			return true
		}
		for i := range file.Services().Len() {
			s := file.Services().Get(i)
			for j := range s.Methods().Len() {
				m := s.Methods().Get(j)
				found[string(s.FullName())+"/"+string(m.Name())] = m
			}
		}
		return true
	})
	return found
}

func TestTable(t *testing.T) {
	t.Parallel()

	t.Run("EveryMethodHasARow", func(t *testing.T) {
		t.Parallel()
		methods := everyMethod()
		require.Greater(t, len(methods), 50)
		for name := range methods {
			r, ok := access.NewTable().Rule(name)
			require.True(t, ok, "%s: who may call it? Give it a row in rules.go", name)
			said := 0
			for _, is := range []bool{r.Role != 0, r.Public, r.Peers} {
				if is {
					said++
				}
			}
			require.Equal(t, 1, said, "%s is for a role, for everybody or for peers", name)
		}
	})

	t.Run("NoRowIsStale", func(t *testing.T) {
		t.Parallel()
		methods := everyMethod()
		for service, rules := range access.NewTable() {
			for name := range rules {
				if strings.HasPrefix(service, "grpc.") {
					continue
				}
				if name == "*" {
					_, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
					require.NoError(t, err, service)
					require.True(t, rules[name].Peers, "a whole service is for peers, or each method has a row")
					continue
				}
				require.Contains(t, methods, service+"/"+name)
			}
		}
	})

	t.Run("ScopesNameAFieldOfTheRequest", func(t *testing.T) {
		t.Parallel()
		scoped := 0
		for name, m := range everyMethod() {
			r, _ := access.NewTable().Rule(name)
			if r.Scope == "" {
				continue
			}
			scoped++
			require.False(t, m.IsStreamingClient(), name)
			require.False(t, m.IsStreamingServer(), name)
			fields := m.Input().Fields()
			path := strings.Split(r.Scope, ".")
			for _, step := range path[:len(path)-1] {
				fields = fields.ByName(protoreflect.Name(step)).Message().Fields()
			}
			field := fields.ByName(protoreflect.Name(path[len(path)-1]))
			require.NotNil(t, field, name)
			require.Equal(t, protoreflect.StringKind, field.Kind(), name)
		}
		require.Positive(t, scoped)
	})

	t.Run("SecretsKeysAndDeletionAreTheOwners", func(t *testing.T) {
		t.Parallel()
		for name := range everyMethod() {
			r, _ := access.NewTable().Rule(name)
			service, method, _ := strings.Cut(name, "/")
			if r.Role != 0 && (service == "knobot.gateway.v1.ApiKeyService" || strings.HasSuffix(service, ".IntegrationService") && r.Changes()) {
				require.Equal(t, gateway.Owner, r.Role, name)
			}
			for _, reads := range []string{"Get", "List", "Watch", "Count", "Search"} {
				if strings.HasPrefix(method, reads) {
					require.False(t, r.Changes(), "%s only reads", name)
				}
			}
		}
	})
}

func TestUnknownMethodsHaveNoRule(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "/", "knobot.rag.v1.DocumentService/", "knobot.rag.v1.DocumentService/Nothing", "knobot.rag.v1.Nothing/GetDocument"} {
		_, ok := access.NewTable().Rule(name)
		require.False(t, ok, name)
		require.False(t, access.NewTable().Serves(name), name)
	}
}
