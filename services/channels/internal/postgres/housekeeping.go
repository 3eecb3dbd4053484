package postgres

import (
	"context"
	"time"

	"go.uber.org/zap"
)

const (
	// keepDeliveries is for how long reports of a message are understood: read receipts come weeks later, retries of
	// reports within a week (notes on Meta's webhooks in docs/whatsapp.md).
	keepDeliveries = 30 * 24 * time.Hour
	// keepPauses must exceed the quiet spell after which a pause starts anew.
	keepPauses = 24 * time.Hour
	// pruneBatch keeps each deletion short.
	pruneBatch    = 1000
	housekeepEach = time.Minute
)

// RunHousekeeping removes what nobody asks for any more, until ctx ends.
func (s *Store) RunHousekeeping(ctx context.Context, log *zap.Logger) error {
	ticker := time.NewTicker(housekeepEach)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := s.housekeep(ctx); err != nil && ctx.Err() == nil {
			log.Warn("housekeeping failed", zap.Error(err))
		}
	}
}

func (s *Store) housekeep(ctx context.Context) error {
	for {
		pruned, err := s.PruneDeliveries(ctx, keepDeliveries, pruneBatch)
		if err != nil {
			return err
		}
		if pruned < pruneBatch {
			return s.PrunePauses(ctx, keepPauses)
		}
	}
}
