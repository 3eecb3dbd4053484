// Command channels keeps the company's WhatsApp numbers and Telegram bots and sends everything that goes out through them.
package main

import (
	"context"
	"os"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/platform/service"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/delivery"
	"github.com/knobot/knobot/services/channels/internal/erasure"
	"github.com/knobot/knobot/services/channels/internal/integration"
	"github.com/knobot/knobot/services/channels/internal/media"
	"github.com/knobot/knobot/services/channels/internal/pacing"
	store "github.com/knobot/knobot/services/channels/internal/postgres"
	"github.com/knobot/knobot/services/channels/internal/rpcapi"
	"github.com/knobot/knobot/services/channels/internal/telegram"
	"github.com/knobot/knobot/services/channels/internal/whatsapp"
)

func main() {
	os.Exit(service.Main("channels", service.Defaults{GRPCAddr: "127.0.0.1:9103", DebugAddr: "127.0.0.1:9203"}, run,
		service.WithMigrate(migrate)))
}

func migrate(ctx context.Context, cfg Config, _ *zap.Logger) error {
	return store.Schema().Migrate(ctx, cfg.ownerURL(), cfg.DatabaseURL)
}

func run(ctx context.Context, cfg Config, s *service.Service) error {
	pool, db, blobs, err := openStores(ctx, cfg, s)
	if err != nil {
		return err
	}
	log, bots := s.Logger(), cfg.bots(nil)
	integrations := integration.New(cfg.integrations(bots), db, bots, log)
	files := media.New(db, blobs, delivery.NewCaller(integrations, log), integrations,
		map[channels.Platform]channels.MediaSource{channels.WhatsApp: cfg.cloud(nil), channels.Telegram: bots}, log)
	s.OnStop(files.Close)
	cloud, sender := cfg.cloud(files), cfg.bots(files)
	deliveries := delivery.New(cfg.deliveries(files, s.Metrics()), db, integrations, pacing.New(cfg.limits(), db),
		map[channels.Platform]delivery.Provider{
			channels.WhatsApp: {Sender: cloud, Reach: cloud.Reach, Render: whatsapp.Render, Classify: whatsapp.Classify},
			channels.Telegram: {Sender: sender, Reach: sender.Reach, Render: telegram.Render},
		}, log)
	s.OnStop(deliveries.Wait)
	rpcapi.Register(s.GRPC(), deliveries, files, erasure.New(db, blobs), integrations, s.Draining())
	rpcapi.RegisterDiagnostics(s.GRPC(), integrations, func(ctx context.Context) []doctor.Finding { return doctor.Database(ctx, pool, store.Schema()) })
	s.Go("start", func(ctx context.Context) error { return start(ctx, cfg, pool, db, integrations, log) })
	s.Go("expiry", integrations.RunExpiry)
	s.Go("naming", integrations.RunNaming)
	s.Go("reaper", func(ctx context.Context) error { return files.RunReaper(ctx, cfg.KeepMedia) })
	s.Go("housekeeping", func(ctx context.Context) error { return db.RunHousekeeping(ctx, log) })
	return s.Serve(ctx)
}
