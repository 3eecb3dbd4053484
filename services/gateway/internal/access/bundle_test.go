package access_test

import (
	"context"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/platform/rpc"
	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/access"
	"github.com/knobot/knobot/services/gateway/internal/apikey"
	"github.com/knobot/knobot/services/gateway/internal/forward"
	"github.com/knobot/knobot/services/gateway/internal/postgres"
	"github.com/knobot/knobot/services/gateway/internal/rpcapi"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

const adminKey = "canary-admin-key-of-the-environment"

// bundle is a management API on loopback with a real database, whose peers answer everything with an empty message.
type bundle struct {
	conn  *grpc.ClientConn
	pool  *pgxpool.Pool
	store *postgres.Store
	keys  *apikey.Service
	peer  *peer
}

type options struct {
	limits access.Limits
	closed bool // no credential at all
	noDB   bool

	address func(context.Context) string // nil: the TCP peer's
}

func setup(t *testing.T, o options) *bundle {
	t.Helper()
	b := &bundle{peer: newPeer(t), store: postgres.NoStore()}
	if !o.noDB {
		b.pool = pgtest.Database(t, postgres.Schema())
		b.store = postgres.NewStore(b.pool)
	}
	b.keys = apikey.New(b.store)
	c := &access.Credentials{AdminKey: adminKey}
	if !o.noDB {
		c.Keys = b.keys
	}
	if o.closed {
		c = &access.Credentials{}
	}
	if o.limits == (access.Limits{}) {
		o.limits = access.DefaultLimits()
	}
	guard := access.NewGuard(c, b.store, o.limits, zap.NewNop())
	if o.address == nil {
		o.address = rpcapi.PeerAddress
	}
	server := rpc.NewServer(zap.NewNop(), rpc.WithServerOptions(guard.ServerOptions(o.address)...))
	gatewayv1.RegisterApiKeyServiceServer(server, rpcapi.NewAPIKeys(b.keys))
	gatewayv1.RegisterAuditServiceServer(server, rpcapi.NewAudit(b.store))
	upstream := dial(t, b.peer.address)
	require.NoError(t, forward.Register(server, guard.Serves, nil,
		forward.Peer{Package: "knobot.conversation.v1", Conn: upstream}, forward.Peer{Package: "knobot.rag.v1", Conn: upstream},
		forward.Peer{Package: "knobot.channels.v1", Conn: upstream}))
	b.conn = dial(t, serve(t, server))
	return b
}

// secret makes a key and returns its secret.
func (b *bundle) secret(t *testing.T, role gateway.Role, integration string) string {
	t.Helper()
	_, secret, err := b.keys.Create(t.Context(), apikey.Draft{Name: t.Name() + role.String() + integration, Role: role, IntegrationID: integration})
	require.NoError(t, err)
	return secret
}

// entries is the whole audit, newest first.
func (b *bundle) entries(t *testing.T) []gateway.AuditEntry {
	t.Helper()
	found, err := b.store.Entries(t.Context(), 0, 1000)
	require.NoError(t, err)
	return found
}

// with is a context that sends a credential.
func with(ctx context.Context, secret string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+secret)
}

func reasonOf(err error) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

func retryAfter(err error) time.Duration {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

func serve(t *testing.T, server *grpc.Server) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func dial(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// peer answers every method with an empty message and remembers who was called with what metadata.
type peer struct {
	address string
	mu      sync.Mutex
	calls   map[string]metadata.MD
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	p := &peer{calls: map[string]metadata.MD{}}
	p.address = serve(t, grpc.NewServer(grpc.UnknownServiceHandler(p.answer)))
	return p
}

func (p *peer) answer(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	md, _ := metadata.FromIncomingContext(stream.Context())
	p.mu.Lock()
	p.calls[method[1:]] = md
	p.mu.Unlock()
	for stream.RecvMsg(&emptypb.Empty{}) == nil {
	}
	return stream.SendMsg(&emptypb.Empty{})
}

func (p *peer) called(method string) (metadata.MD, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	md, ok := p.calls[method]
	return md, ok
}
