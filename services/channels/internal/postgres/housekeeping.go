package postgres

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

const (
	// keepDeliveries is for how long reports of a message are understood: read receipts come weeks later, retries of
	// reports within a week (notes on Meta's webhooks in docs/whatsapp.md).
	keepDeliveries = 30 * 24 * time.Hour
	// keepPauses must exceed the quiet spell after which a pause starts anew.
	keepPauses = 24 * time.Hour
	// keepPacing spares the customers of an hour the statement that makes their quotas anew.
	keepPacing = time.Hour
	// keepForgotten is longer than any fetch takes. After that the same file may come again, with another customer.
	keepForgotten = 10 * time.Minute
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
	err := inBatches(func() (int64, error) { return s.PruneDeliveries(ctx, keepDeliveries, pruneBatch) })
	if err != nil {
		return err
	}
	err = inBatches(func() (int64, error) { return s.PrunePacing(ctx, keepPacing, pruneBatch) })
	if err != nil {
		return err
	}
	return errors.Join(s.PrunePauses(ctx, keepPauses), s.PruneForgotten(ctx, keepForgotten))
}

// inBatches prunes until there is less than a batch.
func inBatches(prune func() (int64, error)) error {
	for {
		if pruned, err := prune(); err != nil || pruned < pruneBatch {
			return err
		}
	}
}
