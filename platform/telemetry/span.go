package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// scope is the name under which our own spans are made.
const scope = "github.com/knobot/knobot"

// Start begins a span below that of ctx, with the same provider: where nobody traces, nothing happens.
func Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	return trace.SpanFromContext(ctx).TracerProvider().Tracer(scope).Start(ctx, name, opts...)
}

// Begin begins a span in a new trace or below one that ctx has.
func Begin(ctx context.Context, tp trace.TracerProvider, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	return tp.Tracer(scope).Start(ctx, name, opts...)
}

// Silent says that a provider records nothing, so that its hooks need not be hung in.
func Silent(tp trace.TracerProvider) bool {
	_, silent := tp.(noop.TracerProvider)
	return silent || tp == nil
}

// traceparent is the W3C header, and the form in which a trace waits in a queue.
const traceparent = "traceparent"

// Parent returns the W3C traceparent of the span of ctx, "" where nothing is recorded. It is what a queue keeps, for Link.
func Parent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceparent]
}

// Link has a span point to those that Parent returned when its work was queued. What is empty or no traceparent is left out.
func Link(span trace.Span, parents ...string) {
	if !span.IsRecording() {
		return
	}
	for _, p := range parents {
		if sc := trace.SpanContextFromContext(Below(context.Background(), p)); sc.IsValid() {
			span.AddLink(trace.Link{SpanContext: sc})
		}
	}
}

// Below returns ctx below the span that Parent returned when its work was queued, for work that is a part of that. A parent that
// is empty changes nothing.
func Below(ctx context.Context, parent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceparent: parent})
}
