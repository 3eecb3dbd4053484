package weaviate

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/knobot/knobot/platform/telemetry"
)

// Measured measures searches in Weaviate.
func Measured(r prometheus.Registerer) grpc.DialOption {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "knobot_rag_weaviate_search_seconds", Help: "Duration of searches in Weaviate.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	}, []string{"code"})
	r.MustRegister(seconds)
	return grpc.WithChainUnaryInterceptor(func(
		ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
	) error {
		begin := time.Now()
		err := invoke(ctx, method, req, reply, conn, opts...)
		telemetry.Observe(ctx, seconds.WithLabelValues(status.Code(err).String()), time.Since(begin).Seconds())
		return err
	})
}
