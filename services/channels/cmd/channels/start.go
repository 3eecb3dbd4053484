package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/platform/service"
	"github.com/knobot/knobot/services/channels/internal/bucket"
	"github.com/knobot/knobot/services/channels/internal/integration"
	store "github.com/knobot/knobot/services/channels/internal/postgres"
	"github.com/knobot/knobot/services/channels/internal/seed"
)

// openStores opens the database, which need not be there yet, with the keys that seal its secrets, and the store of files.
func openStores(ctx context.Context, cfg Config, s *service.Service) (*pgxpool.Pool, *store.Store, *bucket.Bucket, error) {
	sealer, err := sealing.New(cfg.Keyset.Reveal())
	if err != nil {
		return nil, nil, nil, err
	}
	blobs, err := bucket.Open(ctx, cfg.MediaURL)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("KNOBOT_MEDIA_URL: %w", err)
	}
	s.OnStop(blobs.Close)
	pool, err := postgres.Open(ctx, cfg.DatabaseURL, postgres.WithSchema(store.Schema()), postgres.WithTracing(s.Tracer()))
	if err != nil {
		return nil, nil, nil, err
	}
	s.OnStop(pool.Close)
	return pool, store.NewStore(pool, sealer), blobs, nil
}

// start waits for the database, refuses one that is too old, and makes the first integrations. Until it is done the watches
// give nothing, so that the gateway answers "not yet" instead of "not yours".
func start(ctx context.Context, cfg Config, pool *pgxpool.Pool, db *store.Store, i *integration.Service, log *zap.Logger) error {
	if err := store.Schema().Await(ctx, pool); err != nil {
		return err
	}
	for {
		err := seed.Run(ctx, cfg.seeds(), db, i, log)
		if err == nil {
			i.Seeded()
			return nil
		}
		if !fault.IsKind(err, fault.Unavailable) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}
