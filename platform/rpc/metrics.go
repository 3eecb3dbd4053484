package rpc

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/telemetry"
)

// calls is a histogram of durations by method and code. Methods come from the
// registered services only, so the labels are bounded.
type calls struct{ seconds *prometheus.HistogramVec }

func newCalls(r prometheus.Registerer, name, help string) calls {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    name,
		Help:    help,
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
	}, []string{"method", "code"})
	var again prometheus.AlreadyRegisteredError
	if err := r.Register(h); errors.As(err, &again) {
		if existing, ok := again.ExistingCollector.(*prometheus.HistogramVec); ok {
			h = existing // all clients of a process share one
		}
	}
	return calls{h}
}

func (c calls) observe(ctx context.Context, method string, start time.Time, err error) {
	telemetry.Observe(ctx, c.seconds.WithLabelValues(method, fault.Code(err).String()), time.Since(start).Seconds())
}

type serverMetrics struct{ calls }

func newServerMetrics(r prometheus.Registerer) serverMetrics {
	return serverMetrics{newCalls(r, "knobot_rpc_server_seconds", "Duration of the calls that this service answered.")}
}

func (m serverMetrics) link() link { return link{"metrics", m.unary, m.stream} }

func (m serverMetrics) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	start := time.Now()
	resp, err := next(ctx, req)
	m.observe(ctx, info.FullMethod, start, err)
	return resp, err
}

func (m serverMetrics) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	start := time.Now()
	err := next(srv, ss)
	m.observe(ss.Context(), info.FullMethod, start, err)
	return err
}
