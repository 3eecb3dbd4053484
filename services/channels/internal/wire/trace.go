package wire

import (
	"context"
	"net/http"
	"path"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/knobot/knobot/platform/telemetry"
	"github.com/knobot/knobot/services/channels"
)

// spanOf begins the span of a call. It never names the address: Telegram's hold the bot's token, and those of files are signed.
// Of a POST the last part is the method's name.
func spanOf(r *http.Request) (context.Context, trace.Span) {
	name := r.Method
	if r.Method == http.MethodPost {
		name += " " + path.Base(r.URL.Path)
	}
	return telemetry.Start(r.Context(), name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("server.address", r.URL.Hostname())))
}

// end says how a call went.
func end(span trace.Span, status int, failure *channels.SendError) {
	defer span.End()
	if failure != nil {
		span.SetAttributes(attribute.String("error.type", failure.Class.String()))
		span.SetStatus(codes.Error, "")
		return
	}
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= http.StatusBadRequest {
		span.SetStatus(codes.Error, "")
	}
}
