package rpc

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/knobot/knobot/platform/fault"
)

func TestDriverErrorsNeverLeaveTheServer(t *testing.T) {
	t.Parallel()
	driver := &pgconn.PgError{Code: "23505", Message: `duplicate key value violates "users_phone"`, Detail: "Key (phone)=(5215512345678)"}
	for name, err := range map[string]error{
		"wrapped":            fmt.Errorf("insert user: %w", driver),
		"as cause":           fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "try again").WithCause(driver),
		"beside a status":    fmt.Errorf("%w: %w", status.Error(codes.Internal, "SQLSTATE 23505 users_phone"), driver),
		"in a peer's status": fmt.Errorf("users_phone 23505: %w", status.Error(codes.NotFound, "users_phone 23505")),
	} {
		b := setup(t, handler{
			check: func(context.Context) error { return err },
			watch: func(grpc.ServerStreamingServer[healthv1.HealthCheckResponse]) error { return err },
		})
		for _, got := range []error{b.check(t.Context()), b.watch(t)} {
			require.Error(t, got, name)
			text := fmt.Sprintf("%v %v", got, status.Convert(got).Proto())
			require.NotContains(t, text, "23505", name)
			require.NotContains(t, text, "users_phone", name)
		}
	}
}

func TestReasonAndRetryArriveAtTheClient(t *testing.T) {
	t.Parallel()
	b := setup(t, handler{check: func(context.Context) error {
		return fault.New(fault.Throttled, "PACED", "wait a moment").WithRetryAfter(2 * time.Second)
	}})
	err := b.check(t.Context())
	require.Equal(t, codes.ResourceExhausted, status.Code(err))
	require.Equal(t, "PACED", fault.ReasonOf(err))
	after, ok := fault.RetryAfterOf(err)
	require.True(t, ok)
	require.Equal(t, 2*time.Second, after)
}

func TestAbsentPeerIsUnavailable(t *testing.T) {
	t.Parallel()
	conn, err := Dial("127.0.0.1:1")
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.NotContains(t, fault.Status(t.Context(), err).Message(), "127.0.0.1")
}
