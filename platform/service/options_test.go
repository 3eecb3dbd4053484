package service

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/knobot/knobot/platform/rpc"
)

func TestInterceptorsOfTheServiceStandInsideTheChain(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 2)
	r := newProgram(t, func(ctx context.Context, _ testConfig, s *Service) error {
		s.ServerOptions(grpc.ChainUnaryInterceptor(func(ctx context.Context, _ any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if info.FullMethod == "/grpc.health.v1.Health/Check" {
				return next(ctx, nil)
			}
			seen <- rpc.RequestID(ctx)
			return nil, errors.New("canary")
		}))
		(&probe{unary: func(context.Context) error { return nil }}).register(s.GRPC())
		return s.Serve(ctx)
	}).start()
	err := callUnary(t.Context(), r.conn())
	require.Equal(t, codes.Internal, status.Code(err))
	require.NotContains(t, err.Error(), "canary", "what it returns is converted")
	require.NotEmpty(t, <-seen, "the request has its id by then")
}
