package rpc

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/knobot/knobot/platform/requestid"
)

func TestRequestID(t *testing.T) {
	t.Parallel()

	t.Run("TravelsAndComesBack", func(t *testing.T) {
		t.Parallel()
		var seen string
		b := setup(t, handler{check: func(ctx context.Context) error { seen = RequestID(ctx); return nil }})
		var header metadata.MD
		require.NoError(t, b.check(requestid.With(t.Context(), "from-the-edge"), grpc.Header(&header)))
		require.Equal(t, "from-the-edge", seen)
		require.Equal(t, []string{"from-the-edge"}, header.Get(requestid.Header))
	})

	t.Run("IsMadeWhereThereIsNone", func(t *testing.T) {
		t.Parallel()
		var seen string
		b := setup(t, handler{check: func(ctx context.Context) error { seen = RequestID(ctx); return nil }})
		require.NoError(t, b.check(t.Context()))
		require.Len(t, seen, 26)
	})

	t.Run("AnUnsafeOneIsReplaced", func(t *testing.T) {
		t.Parallel()
		var seen string
		b := setup(t, handler{check: func(ctx context.Context) error { seen = RequestID(ctx); return nil }})
		ctx := metadata.AppendToOutgoingContext(t.Context(), requestid.Header, `{"level":"fake"}`)
		require.NoError(t, b.check(ctx))
		require.Len(t, seen, 26)
	})

	t.Run("IsInLogTraceAndError", func(t *testing.T) {
		t.Parallel()
		spans := tracetest.NewInMemoryExporter()
		tp := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
		b := setup(t, handler{check: func(context.Context) error { return errors.New("boom") }}, WithTracing(tp))
		ctx := requestid.With(t.Context(), "req-7")
		err := b.conn.Invoke(ctx, "/test.Probe/Check", &healthv1.HealthCheckRequest{}, &healthv1.HealthCheckResponse{})
		require.Equal(t, "internal error, request req-7", status.Convert(err).Message())
		require.Error(t, b.check(ctx)) // probes leave no trace
		logged := b.logs.FilterMessage("call").All()[0].ContextMap()
		require.Equal(t, "req-7", logged["request_id"])

		require.Eventually(t, func() bool { return len(spans.GetSpans()) == 2 }, eventually, tick)
		ids := map[string]bool{}
		for _, span := range spans.GetSpans() {
			ids[span.SpanContext.TraceID().String()] = true
			for _, a := range span.Attributes {
				if a.Key == "knobot.request_id" {
					require.Equal(t, "req-7", a.Value.AsString())
					ids["attribute"] = true
				}
			}
		}
		require.Len(t, ids, 2, "one trace for client and server, and the attribute")
		require.True(t, ids[logged["trace_id"].(string)], "and the log names the trace")
	})
}
