package ingest

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
)

// RejectionStore keeps refused deliveries.
type RejectionStore interface {
	// RecordRejections adds to the counts and stores the samples.
	RecordRejections(ctx context.Context, counts []conversation.RejectionCount, samples []conversation.Rejection) error
}

const (
	rejectionPeriod = time.Second
	// maxSamples bounds what a flood from many addresses can store in a second.
	maxSamples   = 256
	storeTimeout = 5 * time.Second
)

// Rejections counts refused deliveries and stores at most one a second per address. They are gathered in memory and stored
// once a second: whoever forges webhooks by the thousand must not cost us a transaction each.
type Rejections struct {
	store   RejectionStore
	metrics *metrics.Metrics
	log     *zap.Logger

	mu      sync.Mutex
	counts  map[conversation.RejectionCount]int64
	samples map[string]conversation.Rejection
}

// NewRejections returns an empty one. Run stores what it gathers.
func NewRejections(store RejectionStore, m *metrics.Metrics, log *zap.Logger) *Rejections {
	r := &Rejections{store: store, metrics: m, log: log}
	r.reset()
	return r
}

func (r *Rejections) reset() {
	r.counts, r.samples = map[conversation.RejectionCount]int64{}, map[string]conversation.Rejection{}
}

// Record counts a refused delivery.
func (r *Rejections) Record(x conversation.Rejection) {
	r.metrics.Rejection(x)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[conversation.RejectionCount{Platform: x.Platform, Reason: x.Reason}]++
	if _, ok := r.samples[x.RemoteAddress]; !ok && len(r.samples) < maxSamples {
		r.samples[x.RemoteAddress] = x
	}
}

// Run stores what was gathered, once a second and at the end.
func (r *Rejections) Run(ctx context.Context) error {
	tick := time.NewTicker(rejectionPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			r.Flush(context.WithoutCancel(ctx))
			return nil
		case <-tick.C:
			r.Flush(ctx)
		}
	}
}

// Flush stores what was gathered. What cannot be stored is gathered further, the samples not.
func (r *Rejections) Flush(ctx context.Context) {
	r.mu.Lock()
	counts, samples := r.counts, r.samples
	r.reset()
	r.mu.Unlock()
	if len(counts) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := r.store.RecordRejections(ctx, list(counts), values(samples)); err != nil {
		r.log.Warn("rejected webhooks were not stored", zap.Error(err))
		r.mu.Lock()
		defer r.mu.Unlock()
		for c, n := range counts {
			r.counts[c] += n
		}
	}
}

func list(counts map[conversation.RejectionCount]int64) []conversation.RejectionCount {
	out := make([]conversation.RejectionCount, 0, len(counts))
	for c, n := range counts {
		c.Count = n
		out = append(out, c)
	}
	return out
}

func values(samples map[string]conversation.Rejection) []conversation.Rejection {
	out := make([]conversation.Rejection, 0, len(samples))
	for _, s := range samples {
		out = append(out, s)
	}
	return out
}
