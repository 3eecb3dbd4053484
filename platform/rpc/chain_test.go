package rpc

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/knobot/knobot/platform/fault"
)

const (
	eventually = 5 * time.Second
	tick       = 5 * time.Millisecond
)

func TestPanicIsAnInternalErrorAndTheServerLives(t *testing.T) {
	t.Parallel()
	calls := 0
	b := setup(t, handler{
		check: func(context.Context) error {
			if calls++; calls == 1 {
				panic("index out of range")
			}
			return nil
		},
		watch: func(grpc.ServerStreamingServer[healthv1.HealthCheckResponse]) error {
			panic(struct{ text string }{"what the customer wrote"})
		},
	})
	err := b.check(t.Context())
	require.Equal(t, codes.Internal, status.Code(err))
	require.NotContains(t, err.Error(), "index")
	require.NoError(t, b.check(t.Context()))

	require.Equal(t, codes.Internal, status.Code(b.watch(t)))
	panics := b.logs.FilterMessage("panic").All()
	require.Len(t, panics, 2)
	require.Contains(t, panics[0].ContextMap()["stack"], "chain_test.go")
	require.NotContains(t, panics[1].ContextMap()["panic"], "customer")
}

func TestLogLevels(t *testing.T) {
	t.Parallel()
	for code, level := range map[codes.Code]zapcore.Level{
		codes.OK:               zapcore.DebugLevel,
		codes.Canceled:         zapcore.DebugLevel,
		codes.InvalidArgument:  zapcore.InfoLevel,
		codes.Unavailable:      zapcore.WarnLevel,
		codes.DeadlineExceeded: zapcore.WarnLevel,
		codes.Internal:         zapcore.ErrorLevel,
	} {
		require.Equal(t, level, levelOf(code), code.String())
	}
}

func TestLogShowsTheCauseToUsOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, handler{check: func(context.Context) error {
		return fault.New(fault.Invalid, "BAD_TIME", "the time is wrong").WithCause(errors.New("the true cause"))
	}})
	err := b.check(t.Context())
	require.NotContains(t, err.Error(), "the true cause")
	line := b.logs.FilterMessage("call").All()[0].ContextMap()
	require.Equal(t, "/grpc.health.v1.Health/Check", line["method"])
	require.Equal(t, "InvalidArgument", line["code"])
	require.Equal(t, "BAD_TIME", line["reason"])
	require.Contains(t, line["error"], "the true cause")
	require.Contains(t, line, "duration")
}

func TestClientThatLeavesIsLoggedAtDebug(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	b := setup(t, handler{check: func(ctx context.Context) error {
		close(entered)
		<-ctx.Done()
		return ctx.Err()
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	require.Equal(t, codes.Canceled, status.Code(b.check(ctx)))
	require.Eventually(t, func() bool { return b.logs.FilterMessage("call").Len() == 1 }, eventually, tick)
	require.Equal(t, zapcore.DebugLevel, b.logs.FilterMessage("call").All()[0].Level)
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	remaining := func(t *testing.T, call func(b *bundle) error) time.Duration {
		t.Helper()
		var left time.Duration
		b := setup(t, handler{check: func(ctx context.Context) error {
			end, ok := ctx.Deadline()
			if !ok {
				return errors.New("no deadline")
			}
			left = time.Until(end)
			return nil
		}})
		require.NoError(t, call(b))
		return left
	}

	t.Run("ClientGivesTenSeconds", func(t *testing.T) {
		t.Parallel()
		left := remaining(t, func(b *bundle) error { return b.check(t.Context()) })
		require.InDelta(t, DefaultClientDeadline.Seconds(), left.Seconds(), 2)
	})

	t.Run("CallersOwnIsKept", func(t *testing.T) {
		t.Parallel()
		left := remaining(t, func(b *bundle) error {
			ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
			defer cancel()
			return b.check(ctx)
		})
		require.InDelta(t, 25, left.Seconds(), 2)
	})

	t.Run("ServerGivesThirtySecondsToOthers", func(t *testing.T) {
		t.Parallel()
		left := remaining(t, func(b *bundle) error {
			conn, err := grpc.NewClient(b.addr, grpc.WithTransportCredentials((*TLS)(nil).client()))
			require.NoError(t, err)
			defer func() { _ = conn.Close() }()
			_, err = healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
			return err
		})
		require.InDelta(t, DefaultServerDeadline.Seconds(), left.Seconds(), 2)
	})

	t.Run("StreamsHaveNone", func(t *testing.T) {
		t.Parallel()
		b := setup(t, handler{watch: func(ss grpc.ServerStreamingServer[healthv1.HealthCheckResponse]) error {
			if _, ok := ss.Context().Deadline(); ok {
				return errors.New("a deadline")
			}
			return ss.Send(&healthv1.HealthCheckResponse{})
		}})
		require.NoError(t, b.watch(t))
	})
}

func TestCallsAreMeasuredByMethodAndCode(t *testing.T) {
	t.Parallel()
	b := setup(t, handler{check: func(context.Context) error { return fault.New(fault.NotFound, "NONE", "none") }})
	require.Error(t, b.check(t.Context()))
	for _, name := range []string{"knobot_rpc_server_seconds", "knobot_rpc_client_seconds"} {
		require.Equal(t, map[string]string{"method": "/grpc.health.v1.Health/Check", "code": "NotFound"}, labels(t, b.metrics, name))
	}
	_, err := Dial("127.0.0.1:1", WithMetrics(b.metrics))
	require.NoError(t, err, "all clients of a process share the histogram")
}

// labels returns the labels of the only observation of a histogram.
func labels(t *testing.T, r *prometheus.Registry, name string) map[string]string {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	out := map[string]string{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		require.Len(t, f.GetMetric(), 1)
		require.EqualValues(t, 1, f.GetMetric()[0].GetHistogram().GetSampleCount())
		for _, l := range f.GetMetric()[0].GetLabel() {
			out[l.GetName()] = l.GetValue()
		}
	}
	return out
}
