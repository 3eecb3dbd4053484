package rpc

import (
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

func TestCallsCostNothingWhereNobodyTraces(t *testing.T) {
	t.Parallel()
	require.Empty(t, serverTracing(noop.NewTracerProvider()))
	require.Empty(t, ClientTracing(noop.NewTracerProvider()))
	require.Len(t, serverTracing(sdktrace.NewTracerProvider()), 1)
	require.Len(t, ClientTracing(sdktrace.NewTracerProvider()), 1)
}
