package rpc

import (
	"context"
	"fmt"

	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/requestid"
)

// recovery turns a panic into INTERNAL and logs its stack. One bad request
// must not end the process that serves all others.
type recovery struct{ log *zap.Logger }

func (r recovery) link() link { return link{"recovery", r.unary, r.stream} }

func (r recovery) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (resp any, err error) {
	defer func() {
		if p := recover(); p != nil {
			resp, err = nil, r.caught(ctx, info.FullMethod, p)
		}
	}()
	return next(ctx, req)
}

func (r recovery) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = r.caught(ss.Context(), info.FullMethod, p)
		}
	}()
	return next(srv, ss)
}

// caught logs the type of what was thrown, and its text only if it is an error
// or a string of the code: other values may hold what a customer wrote.
func (r recovery) caught(ctx context.Context, method string, p any) error {
	what := fmt.Sprintf("%T", p)
	switch p := p.(type) {
	case error:
		what = p.Error()
	case string:
		what = p
	}
	r.log.Error("panic",
		zap.String("method", method),
		zap.String("request_id", requestid.From(ctx)),
		zap.String("panic", what),
		zap.Stack("stack"),
	)
	return fault.New(fault.Internal, "PANIC", "internal error")
}
