package telemetry_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/knobot/knobot/platform/telemetry"
)

func TestMetricsAreServed(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.New(t.Context(), "rag", "v1")
	require.NoError(t, err)
	rec := httptest.NewRecorder()
	tel.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	require.Contains(t, rec.Body.String(), `knobot_build_info{service="rag",version="v1"} 1`)
	require.Contains(t, rec.Body.String(), "go_goroutines")
	require.NoError(t, tel.Shutdown(t.Context()))
}

func TestTracingIsOnOnlyWithACollector(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	off, err := telemetry.New(t.Context(), "rag", "v1")
	require.NoError(t, err)
	require.NotImplements(t, (*interface{ ForceFlush() })(nil), off.Tracer)
	require.False(t, off.Exports())

	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	on, err := telemetry.New(t.Context(), "rag", "v1")
	require.NoError(t, err, "a collector that is away stops nothing")
	require.IsType(t, &sdktrace.TracerProvider{}, on.Tracer)
	require.True(t, on.Exports())
	require.NoError(t, on.Shutdown(t.Context()))
}

func TestTheSamplerIsTheEnvironments(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	t.Setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
	t.Setenv("OTEL_TRACES_SAMPLER_ARG", "0")
	tel, err := telemetry.New(t.Context(), "rag", "v1")
	require.NoError(t, err)
	ctx, span := telemetry.Begin(t.Context(), tel.Tracer, "question")
	require.False(t, span.SpanContext().IsSampled())
	require.Empty(t, telemetry.Parent(ctx), "what is not recorded is not queued either")
	require.NoError(t, tel.Shutdown(t.Context()))
}
