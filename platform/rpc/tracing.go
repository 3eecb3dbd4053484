package rpc

import (
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/stats"
)

// serverTracing makes spans of the calls that are answered. Metrics are our
// own interceptors', and no global provider is ever asked.
func serverTracing(tp trace.TracerProvider) stats.Handler {
	return otelgrpc.NewServerHandler(tracingOptions(tp)...)
}

// clientTracing makes spans of the calls that are made.
func clientTracing(tp trace.TracerProvider) stats.Handler {
	return otelgrpc.NewClientHandler(tracingOptions(tp)...)
}

func tracingOptions(tp trace.TracerProvider) []otelgrpc.Option {
	return []otelgrpc.Option{
		otelgrpc.WithTracerProvider(tp),
		otelgrpc.WithMeterProvider(metricnoop.NewMeterProvider()),
		otelgrpc.WithPropagators(propagation.TraceContext{}),
	}
}
