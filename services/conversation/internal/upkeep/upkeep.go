// Package upkeep does what is due from time to time: it forgets old event keys and old deliveries, removes what customers said as
// soon as it is too old, closes what waits for deleted integrations, and measures the queues.
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

// keepErasures is how long one can ask whether a user was erased.
const keepErasures = 365 * 24 * time.Hour

// keepNotices is how long it can be seen what subscribers were told, and told again.
const keepNotices = 7 * 24 * time.Hour

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
	// PruneLogs forgets a batch of deliveries that are older, and returns how many.
	PruneLogs(ctx context.Context, older time.Duration, batch int) (int64, error)
	// PruneNotices forgets a batch of what subscribers were told that is older, and returns how many.
	PruneNotices(ctx context.Context, older time.Duration, batch int) (int64, error)
	// ForsakeTurns closes what waits for integrations that are gone for good.
	ForsakeTurns(ctx context.Context, deleted []conversation.IntegrationID) error
	// PruneErasures forgets that users were erased longer ago.
	PruneErasures(ctx context.Context, older time.Duration) error
	// Integrations returns those that have conversations.
	Integrations(ctx context.Context) ([]conversation.IntegrationID, error)
	// ExpireMessages removes a batch of an integration's messages that are older, and returns how many.
	ExpireMessages(ctx context.Context, id conversation.IntegrationID, older time.Duration, batch int) (int64, error)
	// ExpirePayloads empties a batch of the bodies of an integration's deliveries that are older, after a place, nil for the first. It
	// returns how many, and the place to go on from, nil at the end.
	ExpirePayloads(ctx context.Context, in conversation.Integration, older time.Duration, after *conversation.Cursor, batch int) (
		int64, *conversation.Cursor, error)
	// Depth measures the queues.
	Depth(ctx context.Context) (postgres.Depth, error)
}

// Integrations knows which are gone, and how long each keeps what.
type Integrations interface {
	Deleted() []conversation.IntegrationID
	// Get returns one, false for one that is not known.
	Get(id conversation.IntegrationID) (conversation.Integration, bool)
}

// Keep says for how long what is kept where an integration does not say; 0 for ever.
type Keep struct {
	// Logs is of deliveries with all that came in them.
	Logs time.Duration
	// Messages is of what customers and we said.
	Messages time.Duration
}

// Keeper does the upkeep.
type Keeper struct {
	store        Store
	integrations Integrations
	keep         Keep
	// looked is up to where the deliveries of each integration have lost their bodies. After a start all are looked at once.
	looked  map[conversation.IntegrationID]*conversation.Cursor
	metrics *metrics.Metrics
	log     *zap.Logger
}

// NewKeeper returns a keeper. Run starts it.
func NewKeeper(store Store, integrations Integrations, keep Keep, m *metrics.Metrics, log *zap.Logger) *Keeper {
	return &Keeper{
		store: store, integrations: integrations, keep: keep, metrics: m, log: log,
		looked: map[conversation.IntegrationID]*conversation.Cursor{},
	}
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
			k.Retain(ctx)
		}
	}
}

// Measure shows how much waits.
func (k *Keeper) Measure(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, measureEvery)
	defer cancel()
	if d, err := k.store.Depth(ctx); err == nil { // else the database's own alarms ring
		k.metrics.Queues(d.Turns, d.Oldest, d.Overdue, d.Reports, d.Files)
		k.metrics.Notices(d.Notices, d.OldestNotice)
	}
}

// Clean forgets what is no longer needed.
func (k *Keeper) Clean(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	keys, err := prune(ctx, k.store.PruneKeys, keepKeys)
	logs, notices := int64(0), int64(0)
	if err == nil {
		notices, err = prune(ctx, k.store.PruneNotices, keepNotices)
	}
	if err == nil && k.keep.Logs > 0 {
		logs, err = prune(ctx, k.store.PruneLogs, k.keep.Logs)
	}
	if err == nil {
		err = k.store.PruneErasures(ctx, keepErasures)
	}
	if gone := k.integrations.Deleted(); err == nil && len(gone) > 0 {
		err = k.store.ForsakeTurns(ctx, gone)
	}
	if err != nil || keys+logs+notices > 0 {
		k.log.Info("upkeep", zap.Int64("keys", keys), zap.Int64("logs", logs), zap.Int64("notices", notices), zap.Error(err))
	}
}

// prune goes on batch by batch until there is less than one.
func prune(ctx context.Context, batch func(ctx context.Context, older time.Duration, batch int) (int64, error), older time.Duration) (int64, error) {
	var total int64
	for {
		n, err := batch(ctx, older, pruneBatch)
		total += n
		if err != nil || n < pruneBatch {
			return total, err
		}
	}
}
