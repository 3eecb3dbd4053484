package access_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/emptypb"

	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/access"
)

// call calls a method with an empty request, as a stream where it is one.
func call(ctx context.Context, conn *grpc.ClientConn, name string, m protoreflect.MethodDescriptor) error {
	if !m.IsStreamingClient() && !m.IsStreamingServer() {
		return conn.Invoke(ctx, "/"+name, &emptypb.Empty{}, &emptypb.Empty{})
	}
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: m.IsStreamingClient(), ServerStreams: m.IsStreamingServer()}, "/"+name)
	if err != nil {
		return err
	}
	if err := s.SendMsg(&emptypb.Empty{}); err != nil && err != io.EOF { //nolint:errorlint // the interface returns it bare
		return err
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	return s.RecvMsg(&emptypb.Empty{})
}

// TestEveryRPC calls each method of each service: without a key, with each role below the one that it needs, with that one, and
// with keys that are bound to an integration.
func TestEveryRPC(t *testing.T) {
	t.Parallel()
	b := setup(t, options{limits: access.Limits{Caller: access.Rate{PerSecond: 1e6, Burst: 1e6}, Address: access.Rate{PerSecond: 1e6, Burst: 1e6}, Failures: access.Rate{PerSecond: 1, Burst: 1}}})
	secrets := map[gateway.Role]string{}
	for role := gateway.Viewer; role <= gateway.Owner; role++ {
		secrets[role] = b.secret(t, role, "")
	}
	bound := b.secret(t, gateway.Owner, "another integration")
	table := access.NewTable()
	for name, m := range everyMethod() {
		rule, _ := table.Rule(name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			own := strings.HasPrefix(name, "knobot.gateway.")
			if rule.Public {
				t.Skip("it checks credentials of its own: services/gateway/internal/edge")
			}
			if rule.Peers {
				err := call(with(ctx, adminKey), b.conn, name, m)
				require.Equal(t, codes.Unimplemented, status.Code(err), "%v", err)
				_, called := b.peer.called(name)
				require.False(t, called)
				return
			}
			err := call(ctx, b.conn, name, m)
			require.Equal(t, codes.Unauthenticated, status.Code(err), "%v", err)
			require.Equal(t, "CREDENTIAL_MISSING", reasonOf(err))
			for role := gateway.Viewer; role < rule.Role; role++ {
				err := call(with(ctx, secrets[role]), b.conn, name, m)
				require.Equal(t, codes.PermissionDenied, status.Code(err), "%s: %v", role, err)
				require.Equal(t, "ROLE_TOO_LOW", reasonOf(err))
			}
			err = call(with(ctx, bound), b.conn, name, m)
			require.Equal(t, codes.PermissionDenied, status.Code(err), "%v", err)
			require.Equal(t, "KEY_SCOPED", reasonOf(err))
			_, called := b.peer.called(name)
			require.False(t, called, "nobody got through yet")

			for role := rule.Role; role <= gateway.Owner; role++ {
				err = call(with(ctx, secrets[role]), b.conn, name, m)
				require.NotContains(t, []codes.Code{codes.Unauthenticated, codes.PermissionDenied, codes.Unimplemented}, status.Code(err), "%v", err)
				if !own {
					require.NoError(t, err)
				}
			}
			md, called := b.peer.called(name)
			require.Equal(t, !own, called)
			require.Empty(t, md.Get("authorization"), "the caller's credential stays here")
		})
	}
}
