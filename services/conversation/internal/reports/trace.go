package reports

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/knobot/knobot/platform/telemetry"
	"github.com/knobot/knobot/services/conversation"
)

// trace begins the trace of a batch, if any of its reports came in a trace.
func (d *Drain) trace(ctx context.Context, integration conversation.IntegrationID, reports []conversation.QueuedReport) (context.Context, trace.Span) {
	for _, r := range reports {
		if r.Trace != "" {
			return telemetry.Begin(ctx, d.tracer, "delivery_reports", trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer),
				trace.WithAttributes(attribute.String("knobot.integration", string(integration)), attribute.Int("knobot.reports", len(reports))))
		}
	}
	return noop.NewTracerProvider().Tracer("").Start(ctx, "")
}

// link makes a span of each report that came in a trace. It points to the webhook that brought it, and to the turn whose answer
// it is about, so that an answer is followed to the customer's phone.
func (d *Drain) link(ctx context.Context, reports []conversation.QueuedReport, outcomes []conversation.ReportOutcome) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return
	}
	var requests []conversation.RequestID
	for _, o := range outcomes {
		if o.Request != "" {
			requests = append(requests, o.Request)
		}
	}
	turns, _ := d.queue.Traced(ctx, requests) // without them a link is missing, and nothing else
	for i, r := range reports {
		if r.Trace == "" {
			continue
		}
		_, span := telemetry.Start(ctx, "delivery_report", trace.WithAttributes(
			attribute.String("knobot.delivery", string(outcomes[i].Request)), attribute.String("knobot.state", r.State.String())))
		telemetry.Link(span, r.Trace, turns[outcomes[i].Request])
		span.End()
	}
}
