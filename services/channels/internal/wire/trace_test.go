package wire_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/knobot/knobot/platform/telemetry"
	"github.com/knobot/knobot/services/channels/internal/fakeapi"
	"github.com/knobot/knobot/services/channels/internal/wire"
)

func TestSpansOfCallsHoldNoAddress(t *testing.T) {
	t.Parallel()
	recorder := tracetest.NewSpanRecorder()
	ctx, above := telemetry.Begin(t.Context(), sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)), "SendMessage")
	caller := wire.NewCaller(nil)
	call := func(base string) wire.Request {
		return wire.Request{URL: base + "/bot" + secret + "/sendMessage?signed=CANARY", Header: http.Header{"Authorization": {secret}}, Secrets: []string{secret}}
	}
	_, err := caller.Post(ctx, call(fakeapi.New(t, fakeapi.Answer{Status: http.StatusOK}).URL))
	require.NoError(t, err)
	_, err = caller.Get(ctx, call(fakeapi.New(t, fakeapi.Answer{Status: http.StatusForbidden}).URL))
	require.NoError(t, err)
	_, err = caller.Post(ctx, call("http://127.0.0.1:1"))
	require.Error(t, err)
	above.End()

	spans := recorder.Ended()
	require.Len(t, spans, 4)
	require.Equal(t, "POST sendMessage", spans[0].Name())
	require.Contains(t, spans[0].Attributes(), attribute.Int("http.response.status_code", http.StatusOK))
	require.Equal(t, codes.Unset, spans[0].Status().Code)
	require.Equal(t, "GET", spans[1].Name(), "the end of a file's address names the file")
	require.Equal(t, codes.Error, spans[1].Status().Code)
	require.Contains(t, spans[2].Attributes(), attribute.String("error.type", "retry"))
	for _, s := range spans {
		require.Equal(t, above.SpanContext().TraceID(), s.SpanContext().TraceID())
		require.Empty(t, s.Events())
		require.NotContains(t, s.Name()+s.Status().Description, "CANARY")
		for _, a := range s.Attributes() {
			require.NotContains(t, a.Value.String(), "CANARY")
		}
	}
}
