package rpc

import (
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc/filters"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	"github.com/knobot/knobot/platform/telemetry"
)

// serverTracing makes spans of the calls that are answered, none where nobody
// takes them: a handler would cost each call its time all the same. Metrics are
// our own interceptors', and no global provider is ever asked.
func serverTracing(tp trace.TracerProvider) []grpc.ServerOption {
	if telemetry.Silent(tp) {
		return nil
	}
	return []grpc.ServerOption{grpc.StatsHandler(otelgrpc.NewServerHandler(tracingOptions(tp)...))}
}

// ClientTracing makes spans of the calls that are made over a connection, none
// where nobody takes them.
func ClientTracing(tp trace.TracerProvider) []grpc.DialOption {
	if telemetry.Silent(tp) {
		return nil
	}
	return []grpc.DialOption{grpc.WithStatsHandler(otelgrpc.NewClientHandler(tracingOptions(tp)...))}
}

func tracingOptions(tp trace.TracerProvider) []otelgrpc.Option {
	return []otelgrpc.Option{
		otelgrpc.WithTracerProvider(tp),
		otelgrpc.WithMeterProvider(metricnoop.NewMeterProvider()),
		otelgrpc.WithPropagators(propagation.TraceContext{}),
		otelgrpc.WithFilter(filters.Not(filters.HealthCheck())), // probes ask every few seconds
	}
}
