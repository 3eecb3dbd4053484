package logging

import (
	"context"

	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/knobot/knobot/platform/requestid"
)

// Request is the ids of what ctx belongs to: request_id, and trace_id where the trace is recorded.
func Request(ctx context.Context) zap.Field { return zap.Inline(request{ctx}) }

type request struct{ context.Context }

// MarshalLogObject adds the ids that there are.
func (r request) MarshalLogObject(to zapcore.ObjectEncoder) error {
	if id := requestid.From(r); id != "" {
		to.AddString("request_id", id)
	}
	if sc := trace.SpanContextFromContext(r); sc.IsSampled() {
		to.AddString("trace_id", sc.TraceID().String())
	}
	return nil
}
