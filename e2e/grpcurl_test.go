package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/knobot/knobot/e2e/internal/system"
)

// TestGrpcurlListsAndDescribesEverything asks each program, over reflection alone, what it serves.
func TestGrpcurlListsAndDescribesEverything(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for _, p := range s.Services() {
		t.Run(p.Name, func(t *testing.T) { t.Parallel(); reflects(t, p) })
	}
}

// forwarded are the services of the others that the gateway serves too: all but those between services. Of ChannelService it serves files alone.
func forwarded() []string {
	var names []string
	for _, of := range []string{"conversation", "rag", "channels"} {
		for _, service := range servicesOf(&system.Program{Name: of}) {
			if !slices.Contains([]protoreflect.Name{"IngestService", "VerificationService"}, service.Name()) {
				names = append(names, string(service.FullName()))
			}
		}
	}
	return names
}

func reflects(t *testing.T, p *system.Program) {
	want := []string{"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}
	for _, service := range servicesOf(p) {
		want = append(want, string(service.FullName()))
	}
	if p.Name == "gateway" {
		want = append(want, forwarded()...)
	}
	require.Greater(t, len(want), 3)
	slices.Sort(want)
	out, err := grpcurl(t, p.Address, "list")
	require.NoError(t, err, out)
	require.Equal(t, want, strings.Fields(out))

	for _, service := range servicesOf(p) {
		out, err := grpcurl(t, p.Address, "describe", string(service.FullName()))
		require.NoError(t, err, out)
		for i := range service.Methods().Len() {
			m := service.Methods().Get(i)
			require.Contains(t, out, "rpc "+string(m.Name())+" ", "%s", service.FullName())
			for _, name := range []string{string(m.FullName()), string(m.Input().FullName()), string(m.Output().FullName())} {
				described, err := grpcurl(t, p.Address, "describe", name)
				require.NoError(t, err, described)
				require.Contains(t, described, name)
			}
		}
	}
	out, err = grpcurl(t, p.Address, "describe", "grpc.health.v1.Health")
	require.NoError(t, err, out)
	out, err = grpcurl(t, p.Address, "grpc.health.v1.Health/Check")
	require.NoError(t, err, out)
	require.Contains(t, out, "SERVING")
	require.NotContains(t, out, "NOT_SERVING")
}
