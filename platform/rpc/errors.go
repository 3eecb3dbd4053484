package rpc

import (
	"context"

	"google.golang.org/grpc"

	"github.com/knobot/knobot/platform/fault"
)

// unaryErrors lets nothing out but what the table of faults allows.
func unaryErrors(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	resp, err := next(ctx, req)
	if err != nil {
		return nil, fault.Status(ctx, err).Err()
	}
	return resp, nil
}

// streamErrors is unaryErrors for streams.
func streamErrors(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := next(srv, ss); err != nil {
		return fault.Status(ss.Context(), err).Err()
	}
	return nil
}
