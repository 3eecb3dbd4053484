package rpc

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/knobot/knobot/platform/requestid"
)

// unaryRequestID takes the caller's request id, or makes one, and echoes it.
func unaryRequestID(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	ctx, id := identified(ctx)
	// Fails only after headers were sent, which nothing before us does.
	_ = grpc.SetHeader(ctx, metadata.Pairs(requestid.Header, id))
	return next(ctx, req)
}

// streamRequestID is unaryRequestID for streams.
func streamRequestID(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	ctx, id := identified(ss.Context())
	_ = ss.SetHeader(metadata.Pairs(requestid.Header, id))
	return next(srv, &stream{ServerStream: ss, ctx: ctx})
}

func identified(ctx context.Context) (context.Context, string) {
	var given string
	if v := metadata.ValueFromIncomingContext(ctx, requestid.Header); len(v) > 0 {
		given = v[0]
	}
	id := requestid.Accept(given)
	trace.SpanFromContext(ctx).SetAttributes(attribute.String("knobot.request_id", id))
	return requestid.With(ctx, id), id
}

// stream is a server stream with a context of its own.
type stream struct {
	grpc.ServerStream
	ctx context.Context
}

// Context returns the stream's context.
func (s *stream) Context() context.Context { return s.ctx }
