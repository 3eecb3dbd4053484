package telemetry_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/knobot/knobot/platform/telemetry"
)

func TestTraceWaitsInAQueue(t *testing.T) {
	t.Parallel()
	recorder := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))

	ctx, webhook := telemetry.Begin(t.Context(), tp, "webhook")
	queued := telemetry.Parent(ctx)
	webhook.End()
	require.Len(t, queued, 55, "a W3C traceparent")

	_, turn := telemetry.Begin(context.Background(), tp, "turn")
	telemetry.Link(turn, queued, "", "no traceparent")
	turn.End()
	links := recorder.Ended()[1].Links()
	require.Len(t, links, 1)
	require.Equal(t, webhook.SpanContext().SpanID(), links[0].SpanContext.SpanID())
	require.NotEqual(t, webhook.SpanContext().TraceID(), turn.SpanContext().TraceID(), "the turn has a trace of its own")

	_, receipt := telemetry.Begin(telemetry.Below(context.Background(), queued), tp, "receipt")
	require.Equal(t, webhook.SpanContext().TraceID(), receipt.SpanContext().TraceID(), "what is a part of it has not")
	require.Equal(t, context.Background(), telemetry.Below(context.Background(), ""))
}

func TestSpansStandBelowTheirCallers(t *testing.T) {
	t.Parallel()
	recorder := tracetest.NewSpanRecorder()
	ctx, above := telemetry.Begin(t.Context(), sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)), "above")
	_, below := telemetry.Start(ctx, "below")
	below.End()
	above.End()
	require.Equal(t, above.SpanContext().SpanID(), recorder.Ended()[0].Parent().SpanID())
}

func TestNobodyTracesWithoutACollector(t *testing.T) {
	t.Parallel()
	require.True(t, telemetry.Silent(noop.NewTracerProvider()))
	require.True(t, telemetry.Silent(nil))
	require.False(t, telemetry.Silent(sdktrace.NewTracerProvider()))
	ctx, span := telemetry.Start(t.Context(), "question")
	telemetry.Link(span, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	require.False(t, span.IsRecording())
	require.Empty(t, telemetry.Parent(ctx))
}

func TestErrorsAreExportedWithoutTheirWords(t *testing.T) {
	t.Parallel()
	kept := tracetest.NewInMemoryExporter()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSyncer(telemetry.Wordless(kept)))
	_, span := telemetry.Begin(t.Context(), tp, "statement")
	span.SetAttributes(attribute.String("db.system", "postgresql"))
	span.RecordError(errors.New("invalid input syntax: canary"))
	span.SetStatus(codes.Error, "canary")
	span.End()
	sent := kept.GetSpans()
	require.Len(t, sent, 1)
	require.Equal(t, codes.Error, sent[0].Status.Code, "that it failed is said")
	require.Empty(t, sent[0].Status.Description)
	require.Empty(t, sent[0].Events)
	require.Len(t, sent[0].Attributes, 1)
}

func TestExemplarsAreServedToWhoAsks(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.New(t.Context(), "rag", "v1")
	require.NoError(t, err)
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "answer_seconds", Help: "x", Buckets: []float64{1}})
	tel.Registry.MustRegister(h)
	ctx, span := telemetry.Begin(t.Context(), sdktrace.NewTracerProvider(), "question")
	defer span.End()
	telemetry.Observe(ctx, h, 0.5)
	telemetry.Observe(t.Context(), h, 0.7)

	request := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody)
	request.Header.Set("Accept", "application/openmetrics-text")
	rec := httptest.NewRecorder()
	tel.Handler().ServeHTTP(rec, request)
	require.Contains(t, rec.Body.String(), `answer_seconds_bucket{le="1.0"} 2 # {trace_id="`+span.SpanContext().TraceID().String()+`"} 0.5`)
}
