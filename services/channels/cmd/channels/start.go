package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels/internal/integration"
	store "github.com/knobot/knobot/services/channels/internal/postgres"
	"github.com/knobot/knobot/services/channels/internal/seed"
)

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
