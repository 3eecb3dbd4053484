package main

import (
	"context"
	"errors"
	"net"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	// Their definitions say what there is to forward.
	_ "github.com/knobot/knobot/gen/knobot/channels/v1"
	_ "github.com/knobot/knobot/gen/knobot/conversation/v1"
	gatewayv1 "github.com/knobot/knobot/gen/knobot/gateway/v1"
	_ "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/platform/rpc"
	"github.com/knobot/knobot/platform/service"
	"github.com/knobot/knobot/services/gateway/internal/access"
	"github.com/knobot/knobot/services/gateway/internal/apikey"
	"github.com/knobot/knobot/services/gateway/internal/edge"
	"github.com/knobot/knobot/services/gateway/internal/forward"
	"github.com/knobot/knobot/services/gateway/internal/oidc"
	store "github.com/knobot/knobot/services/gateway/internal/postgres"
	"github.com/knobot/knobot/services/gateway/internal/rpcapi"
)

// peers are connections to the other services.
type peers struct{ conversation, rag, channels *grpc.ClientConn }

func migrate(ctx context.Context, cfg Config, _ *zap.Logger) error {
	if !cfg.ownerURL().IsSet() {
		return errors.New("KNOBOT_DATABASE_URL is not set: there is nothing to migrate")
	}
	return store.Schema().Migrate(ctx, cfg.ownerURL(), cfg.DatabaseURL)
}

// management serves the management API on the service's gRPC server, behind one guard, and returns a connection to the same
// inside of this process, where the caller's address is what edge.RemoteAddress finds.
func management(ctx context.Context, cfg Config, s *service.Service, p peers) (grpc.ClientConnInterface, error) {
	db, err := openStore(ctx, cfg, s)
	if err != nil {
		return nil, err
	}
	keys := apikey.New(db)
	s.Go("uses of keys", func(ctx context.Context) error { return keys.RunUses(ctx, s.Logger()) })
	guard := access.NewGuard(credentials(cfg, keys), db, access.DefaultLimits(), s.Logger())
	s.ServerOptions(guard.ServerOptions(rpcapi.PeerAddress)...)
	inside := rpc.NewServer(s.Logger(), rpc.WithMetrics(s.Metrics()), rpc.WithTracing(s.Tracer()),
		rpc.WithServerOptions(guard.ServerOptions(edge.RemoteAddress)...))
	for _, server := range []grpc.ServiceRegistrar{s.GRPC(), inside} {
		gatewayv1.RegisterApiKeyServiceServer(server, rpcapi.NewAPIKeys(keys))
		gatewayv1.RegisterAuditServiceServer(server, rpcapi.NewAudit(db))
		err := forward.Register(server, guard.Serves, s.Draining(),
			forward.Peer{Package: "knobot.conversation.v1", Conn: p.conversation},
			forward.Peer{Package: "knobot.rag.v1", Conn: p.rag},
			forward.Peer{Package: "knobot.channels.v1", Conn: p.channels})
		if err != nil {
			return nil, err
		}
	}
	return inProcess(s, inside)
}

// credentials are what the management API accepts here. Keys need a database; the one of the environment does not.
func credentials(cfg Config, keys *apikey.Service) *access.Credentials {
	c := &access.Credentials{AdminKey: cfg.AdminAPIKey.Reveal()}
	if cfg.DatabaseURL.IsSet() {
		c.Keys = keys
	}
	if cfg.OIDCIssuer != "" {
		c.People = oidc.New(oidc.Config{Issuer: cfg.OIDCIssuer, Audience: cfg.OIDCAudience, RolesClaim: cfg.OIDCRolesClaim})
	}
	return c
}

// openStore opens the database, which only management calls ever touch. One that is away or too old stops nothing here.
func openStore(ctx context.Context, cfg Config, s *service.Service) (*store.Store, error) {
	if !cfg.DatabaseURL.IsSet() {
		return store.NoStore(), nil
	}
	pool, err := postgres.Open(ctx, cfg.DatabaseURL, postgres.WithSchema(store.Schema()), postgres.WithMaxConns(maxConns), postgres.WithTracing(s.Tracer()))
	if err != nil {
		return nil, err
	}
	s.OnStop(pool.Close)
	db := store.NewStore(pool)
	s.Go("schema", func(ctx context.Context) error {
		if err := store.Schema().Await(ctx, pool); err != nil && ctx.Err() == nil {
			s.Logger().Error("keys and audit of the management API do not work", zap.Error(err))
		}
		return nil
	})
	if cfg.KeepAudit > 0 {
		s.Go("housekeeping", func(ctx context.Context) error { return db.RunHousekeeping(ctx, cfg.KeepAudit, s.Logger()) })
	}
	return db, nil
}

// maxConns is enough for people's calls; webhooks need none.
const maxConns = 4

// inMemory bounds what is on its way between the two ends of a connection in memory.
const inMemory = 1 << 20

// inProcess serves server in memory and returns a connection to it. Unlike rpc.Local it carries streams.
func inProcess(s *service.Service, server *grpc.Server) (grpc.ClientConnInterface, error) {
	listener := bufconn.Listen(inMemory)
	conn, err := rpc.Dial("passthrough:///management", rpc.WithMetrics(s.Metrics()), rpc.WithTracing(s.Tracer()),
		rpc.WithDialOptions(grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) })))
	if err != nil {
		return nil, err
	}
	s.OnStop(func() { _ = conn.Close(); server.Stop() })
	go func() { _ = server.Serve(listener) }() // ends with Stop
	return conn, nil
}
