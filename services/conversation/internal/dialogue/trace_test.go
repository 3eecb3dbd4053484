package dialogue_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/telemetry"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/dialogue"
	"github.com/knobot/knobot/services/conversation/internal/ingest"
)

// traced is a recorder of spans, and what makes a worker trace and log for a test.
func traced() (*tracetest.SpanRecorder, *sdktrace.TracerProvider, *observer.ObservedLogs, func(*dialogue.Config)) {
	recorder := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	core, logs := observer.New(zapcore.DebugLevel)
	return recorder, tp, logs, func(c *dialogue.Config) { c.Tracer, c.Log = tp, zap.New(core) }
}

func turnsOf(recorder *tracetest.SpanRecorder) []sdktrace.ReadOnlySpan {
	var turns []sdktrace.ReadOnlySpan
	for _, s := range recorder.Ended() {
		if s.Name() == "turn" {
			turns = append(turns, s)
		}
	}
	return turns
}

// webhookWith is a delivery of one event as the gateway hands it over.
func webhookWith(e conversation.Event) ingest.Webhook {
	return ingest.Webhook{Platform: conversation.WhatsApp, Payload: []byte(e.Key), Events: []conversation.Event{e}, RemoteAddress: "203.0.113.7"}
}

func TestTurnIsATraceThatPointsToItsWebhooks(t *testing.T) {
	t.Parallel()
	recorder, tp, logs, tracing := traced()
	b := setup(t, tracing)
	post := func(text string) string {
		ctx, span := telemetry.Begin(t.Context(), tp, "webhook")
		defer span.End()
		_, err := b.intake.Ingest(ctx, webhookWith(b.says("573001234567", text)))
		require.NoError(t, err)
		return span.SpanContext().SpanID().String()
	}
	webhooks := []string{post("hola"), post("¿a qué hora abren?")}
	b.run(b.worker)
	b.quiet()
	b.eventually(func() bool { return len(turnsOf(recorder)) == 1 }, "the turn ends")

	turn := turnsOf(recorder)[0]
	var linked []string
	for _, l := range turn.Links() {
		linked = append(linked, l.SpanContext.SpanID().String())
	}
	require.Equal(t, webhooks, linked)
	require.False(t, turn.Parent().IsValid(), "each turn is a trace of its own")
	line := logs.FilterMessage("turn").All()[0].ContextMap()
	require.Equal(t, turn.SpanContext().TraceID().String(), line["trace_id"])
	require.Len(t, line["request_id"], 26)
	require.Equal(t, string(number), line["integration"])
	require.NotEmpty(t, line["conversation"])
	require.Equal(t, 1, b.count("messages where role = 'assistant' and traceparent like '%' || $1 || '%'", line["trace_id"]))
}

func TestTurnThatOnlySendsPointsToTheOneThatDecided(t *testing.T) {
	t.Parallel()
	recorder, _, _, tracing := traced()
	b := setup(t, tracing)
	var sends atomic.Int64
	b.channels.OnSend(func(context.Context, *channelsv1.SendMessageRequest) error {
		if sends.Add(1) == 1 {
			return fault.New(fault.Unavailable, "PROVIDER_AWAY", "later")
		}
		return nil
	})
	b.receive(b.says("573001234567", "hola"))
	b.run(b.worker)
	b.eventually(func() bool { b.hurry(); return len(turnsOf(recorder)) == 2 }, "it is sent at the second try")
	first, second := turnsOf(recorder)[0], turnsOf(recorder)[1]
	require.Empty(t, first.Links(), "nobody traced the webhook")
	require.Len(t, second.Links(), 1)
	require.Equal(t, first.SpanContext().SpanID(), second.Links()[0].SpanContext.SpanID())
}

func TestNothingIsKeptOfTracesThatNobodyMakes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run(b.worker)
	b.receive(b.says("573001234567", "hola"))
	b.quiet()
	require.Equal(t, 2, b.count("messages"))
	require.Zero(t, b.count("messages where traceparent is not null"))
}
