// Command conversation keeps the dialogue with customers: it stores webhooks, and answers what waits.
package main

import (
	"context"
	"os"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/doctor"
	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/platform/service"
	"github.com/knobot/knobot/services/conversation/internal/integrations"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
	"github.com/knobot/knobot/services/conversation/internal/postgres"
	"github.com/knobot/knobot/services/conversation/internal/sender"
)

func main() {
	os.Exit(service.Main("conversation", service.Defaults{GRPCAddr: "127.0.0.1:9101", DebugAddr: "127.0.0.1:9201"}, run,
		service.WithMigrate(migrate)))
}

func migrate(ctx context.Context, cfg Config, _ *zap.Logger) error {
	return postgres.Schema().Migrate(ctx, cfg.owner(), cfg.DatabaseURL)
}

func run(ctx context.Context, cfg Config, s *service.Service) error {
	sealer, err := cfg.sealer()
	if err != nil {
		return err
	}
	schema := postgres.Schema()
	pool, err := platform.Open(ctx, cfg.DatabaseURL, platform.WithSchema(schema), platform.WithTracing(s.Tracer()),
		platform.WithName("knobot-conversation"))
	if err != nil {
		return err
	}
	s.OnStop(pool.Close)
	s.Go("schema", func(ctx context.Context) error { return schema.Await(ctx, pool) })

	channels := s.Dial(cfg.ChannelsAddr)
	table := integrations.NewTable()
	s.Go("integrations", integrations.NewFollower(table, channels, s.Logger()).Run)

	p := parts{
		store: postgres.NewStore(pool, postgres.Settings{IdleAfter: cfg.IdleAfter, LongestWait: cfg.LongestWait}),
		table: table, sender: sender.New(channels), metrics: metrics.New(s.Metrics()), wake: func() {}, wakeEraser: func() {},
		sealer: sealer, database: func(ctx context.Context) []doctor.Finding { return doctor.Database(ctx, pool, schema) },
	}
	if cfg.Role.Works() {
		p.work(cfg, s)
	}
	if cfg.Role.Serves() {
		p.serve(ctx, cfg, s)
	}
	return s.Serve(ctx)
}
