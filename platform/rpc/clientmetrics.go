package rpc

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
)

type clientMetrics struct{ calls }

func newClientMetrics(r prometheus.Registerer) clientMetrics {
	return clientMetrics{newCalls(r, "knobot_rpc_client_seconds", "Duration of the calls that this service made; of a stream, until it was open.")}
}

func (m clientMetrics) link() clientLink { return clientLink{"metrics", m.unary, m.stream} }

func (m clientMetrics) unary(ctx context.Context, method string, req, resp any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	start := time.Now()
	err := invoke(ctx, method, req, resp, cc, opts...)
	m.observe(ctx, method, start, err)
	return err
}

func (m clientMetrics) stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, begin grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	start := time.Now()
	cs, err := begin(ctx, desc, cc, method, opts...)
	m.observe(ctx, method, start, err)
	return cs, err
}
