package webhook_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/webhook"
)

// recorder stands in for a conversation service that answers when the test lets it.
type recorder struct {
	recorded chan gateway.Rejection
	err      error
}

func (r *recorder) RecordRejected(ctx context.Context, rejection gateway.Rejection) error {
	select {
	case r.recorded <- rejection:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func rejection() gateway.Rejection {
	return gateway.Rejection{Platform: gateway.Telegram, RemoteAddress: "192.0.2.1", Reason: gateway.RejectedWrongCredential}
}

func counter(t *testing.T, metrics *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := metrics.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return 0
}

func TestFloodOfRefusalsNeverBlocks(t *testing.T) {
	t.Parallel()
	metrics := prometheus.NewRegistry()
	notes := webhook.NewNotes(&recorder{}, zap.NewNop(), metrics) // nobody works the queue off.
	for range 10_000 {
		notes.Note(rejection())
	}
	require.EqualValues(t, 10_000, counter(t, metrics, "knobot_gateway_webhooks_refused_total"))
	require.EqualValues(t, 10_000-256, counter(t, metrics, "knobot_gateway_refusals_dropped_total"))
	require.Equal(t, 1, testutil.CollectAndCount(metrics, "knobot_gateway_webhooks_refused_total"))
}

func TestRefusalsReachTheRecorder(t *testing.T) {
	t.Parallel()
	r := &recorder{recorded: make(chan gateway.Rejection), err: errors.New("away")}
	notes := webhook.NewNotes(r, zap.NewNop(), prometheus.NewRegistry())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- notes.Run(ctx) }()
	for range 3 { // an error is no reason to stop.
		notes.Note(rejection())
		require.Equal(t, rejection(), <-r.recorded)
	}
	cancel()
	require.NoError(t, <-done)
}

func TestSilentRecorderCostsEachRefusalTwoSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		metrics := prometheus.NewRegistry()
		notes := webhook.NewNotes(&recorder{}, zap.NewNop(), metrics)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = notes.Run(ctx) }()
		notes.Note(rejection())
		notes.Note(rejection())
		<-time.After(4*time.Second + time.Millisecond) // a fake clock: nothing waits.
		synctest.Wait()
		require.EqualValues(t, 2, counter(t, metrics, "knobot_gateway_refusals_dropped_total"))
		cancel()
	})
}
