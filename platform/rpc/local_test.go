package rpc

import (
	"context"
	"errors"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/requestid"
)

// echoHealth answers as if it served what was asked for, and fails where the test wants it to.
type echoHealth struct {
	healthv1.UnimplementedHealthServer
	check func(ctx context.Context, r *healthv1.HealthCheckRequest) error
}

func (h echoHealth) Check(ctx context.Context, r *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
	if err := h.check(ctx, r); err != nil {
		return nil, err
	}
	return &healthv1.HealthCheckResponse{Status: healthv1.HealthCheckResponse_SERVING}, nil
}

func TestLocalCallPassesTheWholeChain(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.DebugLevel)
	metrics, spans := prometheus.NewRegistry(), tracetest.NewInMemoryExporter()
	local := NewLocal(zap.New(core), WithMetrics(metrics), WithTracing(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))))
	var check func(ctx context.Context, r *healthv1.HealthCheckRequest) error
	healthv1.RegisterHealthServer(local, echoHealth{check: func(ctx context.Context, r *healthv1.HealthCheckRequest) error { return check(ctx, r) }})
	client := healthv1.NewHealthClient(local)

	check = func(ctx context.Context, r *healthv1.HealthCheckRequest) error {
		require.Equal(t, "rag", r.GetService())
		require.Equal(t, []string{"v"}, metadata.ValueFromIncomingContext(ctx, "k"))
		outgoing, _ := metadata.FromOutgoingContext(ctx)
		require.Empty(t, outgoing, "what came in is not passed on by itself")
		_, bounded := ctx.Deadline()
		require.True(t, bounded)
		return grpc.SetTrailer(ctx, metadata.Pairs("t", "1"))
	}
	var header, trailer metadata.MD
	r, err := client.Check(metadata.AppendToOutgoingContext(t.Context(), "k", "v", requestid.Header, "given-id"),
		&healthv1.HealthCheckRequest{Service: "rag"}, grpc.Header(&header), grpc.Trailer(&trailer))
	require.NoError(t, err)
	require.Equal(t, healthv1.HealthCheckResponse_SERVING, r.GetStatus())
	require.Equal(t, []string{"given-id"}, header.Get(requestid.Header))
	require.Equal(t, []string{"1"}, trailer.Get("t"))
	require.Len(t, logs.All(), 1)
	require.Equal(t, "given-id", logs.All()[0].ContextMap()["request_id"])

	check = func(context.Context, *healthv1.HealthCheckRequest) error {
		return errors.New("what the customer wrote")
	}
	_, err = client.Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.Equal(t, codes.Internal, status.Code(err))
	require.NotContains(t, err.Error(), "customer")

	check = func(context.Context, *healthv1.HealthCheckRequest) error { panic("index out of range") }
	_, err = client.Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.Equal(t, codes.Internal, status.Code(err))

	check = func(context.Context, *healthv1.HealthCheckRequest) error {
		return fault.New(fault.Unavailable, "AWAY", "come again")
	}
	_, err = client.Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.Equal(t, "AWAY", fault.ReasonOf(err))

	require.Len(t, spans.GetSpans(), 4)
	require.Equal(t, "grpc.health.v1.Health/Check", spans.GetSpans()[0].Name)
	families, err := metrics.Gather()
	require.NoError(t, err)
	require.NotEmpty(t, families)
}

func TestLocalRefusesWhatItDoesNotHave(t *testing.T) {
	t.Parallel()
	local := NewLocal(zap.NewNop())
	client := healthv1.NewHealthClient(local)
	_, err := client.Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.Equal(t, codes.Unimplemented, status.Code(err))
	_, err = client.Watch(t.Context(), &healthv1.HealthCheckRequest{})
	require.Equal(t, codes.Unimplemented, status.Code(err))
}
