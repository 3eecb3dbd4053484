package main

import (
	"context"

	"go.uber.org/zap"

	"github.com/knobot/knobot/services/rag/internal/postgres"
)

func migrate(ctx context.Context, cfg Config, _ *zap.Logger) error {
	return postgres.Schema().Migrate(ctx, cfg.owner(), cfg.DatabaseURL)
}
