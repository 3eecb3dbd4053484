package fault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/requestid"
)

func TestEveryKindHasItsCode(t *testing.T) {
	t.Parallel()
	for kind, code := range map[fault.Kind]codes.Code{
		fault.Invalid:         codes.InvalidArgument,
		fault.NotFound:        codes.NotFound,
		fault.Conflict:        codes.AlreadyExists,
		fault.Unauthenticated: codes.Unauthenticated,
		fault.Denied:          codes.PermissionDenied,
		fault.Precondition:    codes.FailedPrecondition,
		fault.Throttled:       codes.ResourceExhausted,
		fault.InFlight:        codes.Aborted,
		fault.Unavailable:     codes.Unavailable,
		fault.Internal:        codes.Internal,
		fault.Kind(0):         codes.Internal,
		fault.Kind(99):        codes.Internal,
	} {
		require.Equal(t, code, fault.Status(t.Context(), fault.New(kind, "R", "m")).Code(), kind.String())
	}
}

func TestStatusCarriesReasonAndRetry(t *testing.T) {
	t.Parallel()
	err := fault.New(fault.Throttled, "TOO_FAST", "slow down").WithRetryAfter(1500 * time.Millisecond).
		WithCause(errors.New("secret of the cause"))
	s := fault.Status(t.Context(), fmt.Errorf("somewhere deep: %w", err))

	require.Equal(t, "slow down", s.Message())
	require.Len(t, s.Details(), 2)
	info, ok := s.Details()[0].(*errdetails.ErrorInfo)
	require.True(t, ok)
	require.Equal(t, "TOO_FAST", info.GetReason())
	require.Equal(t, "knobot", info.GetDomain())
	retry, ok := s.Details()[1].(*errdetails.RetryInfo)
	require.True(t, ok)
	require.Equal(t, 1500*time.Millisecond, retry.GetRetryDelay().AsDuration())
	require.NotContains(t, s.String(), "secret of the cause")
}

func TestUnknownErrorsAreMasked(t *testing.T) {
	t.Parallel()
	ctx := requestid.With(t.Context(), "req-1")
	for name, err := range map[string]error{
		"driver":       &pgconn.PgError{Code: "23505", Message: "duplicate key", Detail: "Key (phone)=(5215512345678)"},
		"plain":        errors.New("open /etc/knobot/key: permission denied"),
		"own internal": fault.New(fault.Internal, "BROKEN", "token 123:abc"),
		"peer":         status.Error(codes.Internal, "SQLSTATE 23505"),
		"grpc unknown": status.Error(codes.Unknown, "dial tcp 10.0.0.7:5432"),
	} {
		s := fault.Status(ctx, fmt.Errorf("wrapped: %w", err))
		require.Equal(t, codes.Internal, s.Code(), name)
		require.Equal(t, "internal error, request req-1", s.Message(), name)
	}
}

func TestContextsKeepTheirCodes(t *testing.T) {
	t.Parallel()
	require.Equal(t, codes.Canceled, fault.Status(t.Context(), fmt.Errorf("query: %w", context.Canceled)).Code())
	require.Equal(t, codes.DeadlineExceeded, fault.Status(t.Context(), fmt.Errorf("query: %w", context.DeadlineExceeded)).Code())
	require.Equal(t, fault.Unavailable, fault.KindOf(context.DeadlineExceeded))
	require.Equal(t, codes.OK, fault.Status(t.Context(), nil).Code())
}

func TestOwnErrorWinsOverItsCause(t *testing.T) {
	t.Parallel()
	err := fault.New(fault.Precondition, "BOT_BLOCKED", "the customer blocked the bot").
		WithCause(status.Error(codes.Unavailable, "dial tcp 10.0.0.7:443"))
	require.Equal(t, fault.Precondition, fault.KindOf(err))
	require.Equal(t, "BOT_BLOCKED", fault.ReasonOf(err))
	require.ErrorContains(t, err, "10.0.0.7", "logs show the cause")
}

func TestPeerStatus(t *testing.T) {
	t.Parallel()

	t.Run("KindReasonAndRetrySurviveTheWire", func(t *testing.T) {
		t.Parallel()
		sent := fault.New(fault.Throttled, "PACED", "wait").WithRetryAfter(3 * time.Second)
		received := fmt.Errorf("send: %w", fault.Status(t.Context(), sent).Err())
		require.Equal(t, fault.Throttled, fault.KindOf(received))
		require.Equal(t, "PACED", fault.ReasonOf(received))
		require.Equal(t, "wait", fault.MessageOf(received))
		after, ok := fault.RetryAfterOf(received)
		require.True(t, ok)
		require.Equal(t, 3*time.Second, after)
	})

	t.Run("TransportTextIsNotPassedOn", func(t *testing.T) {
		t.Parallel()
		err := status.Error(codes.Unavailable, `connection error: dial tcp 10.0.0.7:9103: connection refused`)
		s := fault.Status(t.Context(), fmt.Errorf("channels: %w", err))
		require.Equal(t, codes.Unavailable, s.Code())
		require.NotContains(t, s.Message(), "10.0.0.7")
	})

	t.Run("ForeignDomainIsNotOurs", func(t *testing.T) {
		t.Parallel()
		s, err := status.New(codes.NotFound, "bucket gs://private").WithDetails(&errdetails.ErrorInfo{Reason: "X", Domain: "storage"})
		require.NoError(t, err)
		require.Empty(t, fault.ReasonOf(s.Err()))
		require.Equal(t, "not found", fault.Status(t.Context(), s.Err()).Message())
	})

	t.Run("MessageOverTheLimitIsNoThrottling", func(t *testing.T) {
		t.Parallel()
		err := status.Error(codes.ResourceExhausted, "grpc: received message larger than max (17 vs. 16)")
		require.Equal(t, fault.Internal, fault.KindOf(err), "waiting would not cure it")
	})

	t.Run("UnimplementedStaysUnimplemented", func(t *testing.T) {
		t.Parallel()
		s := fault.Status(t.Context(), status.Error(codes.Unimplemented, "unknown method X"))
		require.Equal(t, codes.Unimplemented, s.Code())
	})
}

func TestCopiesDoNotChangeTheOriginal(t *testing.T) {
	t.Parallel()
	base := fault.New(fault.NotFound, "NO_USER", "no such user")
	_ = base.WithCause(context.Canceled).WithRetryAfter(time.Second)
	require.NoError(t, base.Unwrap())
	_, ok := fault.RetryAfterOf(base)
	require.False(t, ok)
}

func TestNilHasNoKind(t *testing.T) {
	t.Parallel()
	require.Zero(t, fault.KindOf(nil))
	require.Empty(t, fault.ReasonOf(nil))
	require.False(t, fault.IsKind(nil, fault.Internal))
	require.Equal(t, codes.OK, fault.Code(nil))
}

func ExampleStatus() {
	err := fault.Newf(fault.NotFound, "NO_KNOWLEDGE_BASE", "there is no knowledge base %q", "tienda").
		WithCause(errors.New("no rows in result set"))
	s := fault.Status(context.Background(), err)
	fmt.Println(s.Code(), s.Message())
	// Output: NotFound there is no knowledge base "tienda"
}
