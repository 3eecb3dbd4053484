package rpc

import (
	"context"
	"time"

	"google.golang.org/grpc"
)

// deadline gives a unary call that came without one an end. Streams live as
// long as their caller wants.
type deadline time.Duration

func (d deadline) link() link { return link{"deadline", d.unary, passStream} }

func (d deadline) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	return next(ctx, req)
}

func (d deadline) client(ctx context.Context, method string, req, resp any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	return invoke(ctx, method, req, resp, cc, opts...)
}

func (d deadline) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(d))
}

func passStream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	return next(srv, ss)
}
