package reports_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/zap"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/platform/telemetry"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/integrations"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
	"github.com/knobot/knobot/services/conversation/internal/reports"
	"github.com/knobot/knobot/services/conversation/internal/sender"
)

func TestReportPointsToItsWebhookAndToTheTurnThatAnswered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	recorder := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	b.drain = reports.NewDrain(b.store, sender.New(b.channels.Conn), integrations.NewTable(), metrics.New(prometheus.NewRegistry()), tp, zap.NewNop())
	turn, ended := telemetry.Begin(t.Context(), tp, "turn")
	webhook, endedToo := telemetry.Begin(t.Context(), tp, "webhook")
	ended.End()
	endedToo.End()

	request := uuid.NewString()
	_, err := b.pool.Exec(t.Context(), `with talk as (
			insert into conversations (id, integration_id, scope, platform, platform_user_id, created_via, rag_enabled, passages)
			values (gen_random_uuid(), 'wa-1', 'user/1', 'whatsapp', '57', 'whatsapp', true, 5) returning id)
		insert into messages (id, conversation_id, position, role, kind, text, state, request_id, traceparent)
		select gen_random_uuid(), id, 1, 'assistant', 'text', 'hola', 'sent', $1, $2 from talk`, request, telemetry.Parent(turn))
	require.NoError(t, err)
	b.channels.OnReport(func(_ *channelsv1.RecordDeliveryReportsRequest) (*channelsv1.RecordDeliveryReportsResponse, error) {
		return &channelsv1.RecordDeliveryReportsResponse{Outcomes: []*channelsv1.RecordDeliveryReportsResponse_Outcome{{
			RequestId: request, State: conversationv1.DeliveryState_DELIVERY_STATE_DELIVERED,
		}}}, nil
	})
	d := conversation.Delivery{
		Log: conversation.LogID(uuid.NewString()), Platform: conversation.WhatsApp, Payload: []byte("{}"), Trace: telemetry.Parent(webhook),
		Arrivals: []conversation.Arrival{{
			Event: conversation.Event{
				Key: "status:1", Integration: number, Kind: "status.delivered",
				Content: &conversation.DeliveryReport{MessageID: "m1", State: conversation.DeliveryDelivered},
			},
			Integration: conversation.DefaultIntegration(number, conversation.WhatsApp),
		}},
	}
	_, err = b.store.Ingest(t.Context(), []conversation.Delivery{d})
	require.NoError(t, err)
	b.drain.Round(t.Context())

	report := recorder.Ended()[2]
	require.Equal(t, "delivery_report", report.Name())
	require.Len(t, report.Links(), 2)
	require.Equal(t, endedToo.SpanContext().SpanID(), report.Links()[0].SpanContext.SpanID())
	require.Equal(t, ended.SpanContext().SpanID(), report.Links()[1].SpanContext.SpanID())
	require.Equal(t, "delivery_reports", recorder.Ended()[3].Name())

	b.receive(1)
	b.channels.OnReport(nil)
	b.drain.Round(t.Context())
	require.Len(t, recorder.Ended(), 4, "what came in no trace makes none")
}
