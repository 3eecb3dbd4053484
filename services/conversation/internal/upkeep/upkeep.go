// Package upkeep does what is due from time to time: it forgets old event keys, closes what waits for deleted integrations,
// and measures the queues.
package upkeep

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
	"github.com/knobot/knobot/services/conversation/internal/postgres"
)

// keepKeys is longer than any redelivery: Meta gives up after 7 days (Webhooks overview, 2026-09-11).
const keepKeys = 10 * 24 * time.Hour

const (
	measureEvery = 5 * time.Second
	cleanEvery   = 10 * time.Minute
	pruneBatch   = 5000
	workTimeout  = time.Minute
)

// Store is what upkeep works on.
type Store interface {
	// PruneKeys forgets a batch of keys that are older, and returns how many.
	PruneKeys(ctx context.Context, older time.Duration, batch int) (int64, error)
	// ForsakeTurns closes what waits for integrations that are gone for good.
	ForsakeTurns(ctx context.Context, deleted []conversation.IntegrationID) error
	// Depth measures the queues.
	Depth(ctx context.Context) (postgres.Depth, error)
}

// Integrations knows which are gone.
type Integrations interface {
	Deleted() []conversation.IntegrationID
}

// Keeper does the upkeep.
type Keeper struct {
	store        Store
	integrations Integrations
	metrics      *metrics.Metrics
	log          *zap.Logger
}

// NewKeeper returns a keeper. Run starts it.
func NewKeeper(store Store, integrations Integrations, m *metrics.Metrics, log *zap.Logger) *Keeper {
	return &Keeper{store: store, integrations: integrations, metrics: m, log: log}
}

// Run works until ctx ends. Every process may run one: all of it may be done twice.
func (k *Keeper) Run(ctx context.Context) error {
	measure, clean := time.NewTicker(measureEvery), time.NewTicker(cleanEvery)
	defer measure.Stop()
	defer clean.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-measure.C:
			k.Measure(ctx)
		case <-clean.C:
			k.Clean(ctx)
		}
	}
}

// Measure shows how much waits.
func (k *Keeper) Measure(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, measureEvery)
	defer cancel()
	if d, err := k.store.Depth(ctx); err == nil { // else the database's own alarms ring
		k.metrics.Queues(d.Turns, d.Oldest, d.Reports, d.Files)
	}
}

// Clean forgets what is no longer needed.
func (k *Keeper) Clean(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	pruned, err := k.prune(ctx)
	if gone := k.integrations.Deleted(); err == nil && len(gone) > 0 {
		err = k.store.ForsakeTurns(ctx, gone)
	}
	if err != nil || pruned > 0 {
		k.log.Info("upkeep", zap.Int64("keys", pruned), zap.Error(err))
	}
}

func (k *Keeper) prune(ctx context.Context) (int64, error) {
	var total int64
	for {
		n, err := k.store.PruneKeys(ctx, keepKeys, pruneBatch)
		total += n
		if err != nil || n < pruneBatch {
			return total, err
		}
	}
}
