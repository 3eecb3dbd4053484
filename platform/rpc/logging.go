package rpc

import (
	"context"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/logging"
)

// callLog logs each call once, never what was said in it.
type callLog struct{ log *zap.Logger }

func (c callLog) link() link { return link{"logging", c.unary, c.stream} }

func (c callLog) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	start := time.Now()
	resp, err := next(ctx, req)
	c.write(ctx, info.FullMethod, start, err)
	return resp, err
}

func (c callLog) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	start := time.Now()
	err := next(srv, ss)
	c.write(ss.Context(), info.FullMethod, start, err)
	return err
}

func (c callLog) write(ctx context.Context, method string, start time.Time, err error) {
	code := fault.Code(err)
	entry := c.log.Check(levelOf(code), "call")
	if entry == nil {
		return
	}
	fields := []zap.Field{
		zap.String("method", method),
		zap.Stringer("code", code),
		zap.Duration("duration", time.Since(start)),
		logging.Request(ctx),
	}
	if err != nil {
		fields = append(fields, zap.String("reason", fault.ReasonOf(err)), zap.Error(err))
	}
	entry.Write(fields...)
}

// levelOf keeps success and a client that went away out of the ordinary log.
func levelOf(code codes.Code) zapcore.Level {
	switch code {
	case codes.OK, codes.Canceled:
		return zapcore.DebugLevel
	case codes.Internal:
		return zapcore.ErrorLevel
	case codes.Unavailable, codes.DeadlineExceeded:
		return zapcore.WarnLevel
	default:
		return zapcore.InfoLevel
	}
}
