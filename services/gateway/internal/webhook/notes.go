package webhook

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	gateway "github.com/knobot/knobot/services/gateway"
)

// A flood of forged webhooks fills the queue and is then only counted here.
const (
	notesWaiting = 256
	noteDeadline = 2 * time.Second
)

// Recorder stores that a webhook was refused.
type Recorder interface {
	RecordRejected(ctx context.Context, r gateway.Rejection) error
}

// Notes hands refused webhooks on to the conversation service, best effort: a bounded queue, one call at a time, and what
// does not fit is counted and dropped.
type Notes struct {
	recorder Recorder
	queue    chan gateway.Rejection
	log      *zap.Logger
	refused  *prometheus.CounterVec
	dropped  prometheus.Counter
}

// NewNotes makes an empty queue in front of recorder and registers its counters.
func NewNotes(recorder Recorder, log *zap.Logger, metrics prometheus.Registerer) *Notes {
	n := &Notes{
		recorder: recorder,
		queue:    make(chan gateway.Rejection, notesWaiting),
		log:      log,
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "knobot_gateway_webhooks_refused_total", Help: "Webhooks that were refused.",
		}, []string{"platform", "reason"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "knobot_gateway_refusals_dropped_total", Help: "Refused webhooks that were counted here and noted nowhere else.",
		}),
	}
	metrics.MustRegister(n.refused, n.dropped)
	return n
}

// Note queues a refusal, or drops it if the queue is full.
func (n *Notes) Note(r gateway.Rejection) {
	n.refused.WithLabelValues(r.Platform.String(), r.Reason.String()).Inc()
	select {
	case n.queue <- r:
	default:
		n.dropped.Inc()
	}
}

// Run works the queue off until ctx ends.
func (n *Notes) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case r := <-n.queue:
			n.record(ctx, r)
		}
	}
}

func (n *Notes) record(ctx context.Context, r gateway.Rejection) {
	ctx, cancel := context.WithTimeout(ctx, noteDeadline)
	defer cancel()
	if err := n.recorder.RecordRejected(ctx, r); err != nil {
		n.dropped.Inc()
		n.log.Debug("refused webhook was not recorded", zap.Stringer("reason", r.Reason), zap.Error(err))
	}
}
