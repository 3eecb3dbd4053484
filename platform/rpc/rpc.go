// Package rpc makes the gRPC servers and clients of all services: one chain
// of interceptors each, one file per interceptor, in an order that a test
// holds fast.
package rpc

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"

	"github.com/knobot/knobot/platform/requestid"
)

const (
	// MaxMessageBytes bounds a message in both directions. A webhook of
	// WhatsApp has up to 3 MB, which events and raw payload make more of.
	MaxMessageBytes = 16 << 20

	// DefaultServerDeadline ends a unary call that came without a deadline.
	DefaultServerDeadline = 30 * time.Second

	// DefaultClientDeadline is given to a unary call whose context has none.
	DefaultClientDeadline = 10 * time.Second
)

// Option changes a server or a client.
type Option func(*options)

type options struct {
	tls      *TLS
	metrics  prometheus.Registerer
	tracer   trace.TracerProvider
	deadline time.Duration
	server   []grpc.ServerOption
	dial     []grpc.DialOption
}

// WithTLS turns mutual TLS on; nil leaves it off.
func WithTLS(t *TLS) Option { return func(o *options) { o.tls = t } }

// WithMetrics measures the calls.
func WithMetrics(r prometheus.Registerer) Option { return func(o *options) { o.metrics = r } }

// WithTracing makes spans of the calls.
func WithTracing(tp trace.TracerProvider) Option { return func(o *options) { o.tracer = tp } }

// WithDeadline replaces the default deadline of unary calls.
func WithDeadline(d time.Duration) Option { return func(o *options) { o.deadline = d } }

// WithServerOptions adds options of grpc itself to a server.
func WithServerOptions(s ...grpc.ServerOption) Option {
	return func(o *options) { o.server = append(o.server, s...) }
}

// WithDialOptions adds options of grpc itself to a client.
func WithDialOptions(d ...grpc.DialOption) Option {
	return func(o *options) { o.dial = append(o.dial, d...) }
}

func newOptions(deadline time.Duration, opts []Option) *options {
	o := &options{deadline: deadline, tracer: noop.NewTracerProvider(), metrics: prometheus.NewRegistry()}
	for _, opt := range opts {
		opt(o)
	}
	return o
}

// RequestID returns the id of the request that ctx belongs to, or "".
func RequestID(ctx context.Context) string { return requestid.From(ctx) }
