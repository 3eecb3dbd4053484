package pacing_test

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
	"github.com/knobot/knobot/services/channels/internal/pacing"
	"github.com/knobot/knobot/services/channels/internal/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// bundle is a bot and a number with limits of a test's own, so that nobody waits for real ones.
type bundle struct {
	*channelstest.Bundle
	number, bot string
	limits      pacing.Limits
}

func setup(t testing.TB, change func(l *pacing.Limits)) *bundle {
	t.Helper()
	b := &bundle{Bundle: channelstest.New(t)}
	b.number, b.bot = b.WhatsApp(t).ID, b.Telegram(t).ID
	free := pacing.Limit{Every: time.Microsecond, Burst: 1000}
	b.limits = pacing.Limits{Number: free, Pair: free, Bot: free, Chat: free, Group: free}
	change(&b.limits)
	return b
}

// replica is a pacer over a pool of its own.
func (b *bundle) replica(t testing.TB) *pacing.Pacer {
	t.Helper()
	pool, err := pgxpool.NewWithConfig(t.Context(), b.Pool.Config())
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pacing.New(b.limits, postgres.NewStore(pool, b.Sealer))
}

func (b *bundle) user(phone string) channels.Address {
	return channels.Address{IntegrationID: b.number, WhatsApp: &channels.WhatsAppUser{Phone: phone}}
}

func (b *bundle) chat(id int64) channels.Address {
	return channels.Address{IntegrationID: b.bot, Telegram: &channels.TelegramChat{ID: id}}
}

func requireThrottled(t *testing.T, err error) time.Duration {
	t.Helper()
	require.Equal(t, fault.Throttled, fault.KindOf(err), "%v", err)
	require.Equal(t, "THROTTLED", fault.ReasonOf(err))
	after, ok := fault.RetryAfterOf(err)
	require.True(t, ok)
	require.Positive(t, after)
	return after
}

func TestReplicasKeepOneRateTogether(t *testing.T) {
	t.Parallel()
	const every, messages = 20 * time.Millisecond, 30
	b := setup(t, func(l *pacing.Limits) { l.Number = pacing.Limit{Every: every, Burst: 1} })
	start := time.Now()
	var group errgroup.Group
	for range 3 {
		p := b.replica(t)
		for n := range messages / 3 {
			group.Go(func() error { return p.Permit(context.Background(), b.user(fmt.Sprint(573000000000+n))) })
		}
	}
	require.NoError(t, group.Wait(), "a wait that is short is no error")
	require.GreaterOrEqual(t, time.Since(start), (messages-1)*every)
}

func TestPermit(t *testing.T) {
	t.Parallel()

	t.Run("LongWaitIsRefusedWithItsEnd", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(l *pacing.Limits) { l.Pair = pacing.Limit{Every: time.Minute, Burst: 2} })
		p := b.replica(t)
		for range 2 {
			require.NoError(t, p.Permit(t.Context(), b.user("573001234567")))
		}
		require.InDelta(t, time.Minute, requireThrottled(t, p.Permit(t.Context(), b.user("573001234567"))), float64(10*time.Second))
		require.NoError(t, p.Permit(t.Context(), b.user("573009999999")), "nobody else waits")
	})

	t.Run("WaitBeyondTheCallersDeadlineIsRefusedAtOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(l *pacing.Limits) { l.Chat = pacing.Limit{Every: 1500 * time.Millisecond, Burst: 1} })
		p := b.replica(t)
		require.NoError(t, p.Permit(t.Context(), b.chat(7)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		requireThrottled(t, p.Permit(ctx, b.chat(7)))
		require.NoError(t, ctx.Err())
	})

	t.Run("OneChatThatWaitsDelaysNoOther", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(l *pacing.Limits) { l.Chat = pacing.Limit{Every: 1500 * time.Millisecond, Burst: 1} })
		p := b.replica(t)
		require.NoError(t, p.Permit(t.Context(), b.chat(7)))
		waiting := make(chan error, 1)
		go func() { waiting <- p.Permit(t.Context(), b.chat(7)) }()
		for chat := range int64(20) {
			require.NoError(t, p.Permit(t.Context(), b.chat(100+chat)))
		}
		select {
		case <-waiting:
			require.Fail(t, "the waiting message was not waited for")
		default:
		}
		require.NoError(t, <-waiting)
	})

	t.Run("GroupsHaveALimitOfTheirOwn", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(l *pacing.Limits) { l.Group = pacing.Limit{Every: time.Minute, Burst: 1} })
		p := b.replica(t)
		require.NoError(t, p.Permit(t.Context(), b.chat(-100)))
		requireThrottled(t, p.Permit(t.Context(), b.chat(-100)))
		for range 3 {
			require.NoError(t, p.Permit(t.Context(), b.chat(100)))
		}
	})

	t.Run("CallerWhoGoesAwayTakesNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(l *pacing.Limits) { l.Bot = pacing.Limit{Every: 1900 * time.Millisecond, Burst: 1} })
		p := b.replica(t)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(t, p.Permit(gone, b.chat(7)))
		require.NoError(t, p.Permit(t.Context(), b.chat(7)))
		ctx, cancel := context.WithCancel(t.Context())
		waiting := make(chan error, 1)
		go func() { waiting <- p.Permit(ctx, b.chat(8)) }()
		b.until(t, `select count(*) from pacing where recipient = '8' and on_time > '-infinity'`)
		cancel()
		require.ErrorIs(t, <-waiting, context.Canceled)
		require.NoError(t, p.Permit(t.Context(), b.chat(9)), "the place after the first one is free again")
	})

	t.Run("ReturnedPermitIsFreeAgain", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(l *pacing.Limits) { l.Pair = pacing.Limit{Every: time.Minute, Burst: 1} })
		p := b.replica(t)
		require.NoError(t, p.Permit(t.Context(), b.user("573001234567")))
		p.Return(t.Context(), b.user("573001234567"))
		require.NoError(t, p.Permit(t.Context(), b.user("573001234567")))
	})
}

func TestDrafts(t *testing.T) {
	t.Parallel()

	t.Run("HardlyWaitAndTakeNoPlaceOfTheirChat", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(l *pacing.Limits) {
			l.Bot, l.Chat = pacing.Limit{Every: 1900 * time.Millisecond, Burst: 2}, pacing.Limit{Every: time.Minute, Burst: 1}
		})
		p := b.replica(t)
		for range 2 {
			require.NoError(t, p.PermitDraft(t.Context(), b.chat(7)))
		}
		requireThrottled(t, p.PermitDraft(t.Context(), b.chat(7)))
		require.NoError(t, p.Permit(t.Context(), b.chat(7)), "the answer has its own place")
	})

	t.Run("RequestToWaitPausesDraftsAlone", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(*pacing.Limits) {})
		wait, err := b.replica(t).SlowDrafts(t.Context(), b.chat(7), &channels.SendError{Class: channels.ClassThrottled, RetryAfter: 30 * time.Second})
		require.NoError(t, err)
		require.Equal(t, 30*time.Second, wait)
		other := b.replica(t)
		requireThrottled(t, other.PermitDraft(t.Context(), b.chat(8)))
		require.NoError(t, other.Permit(t.Context(), b.chat(7)))
	})
}

// TestDefaultLimits says what the providers' words come to.
func TestDefaultLimits(t *testing.T) {
	t.Parallel()
	l := pacing.DefaultLimits()
	require.Equal(t, 12500*time.Microsecond, l.Number.Every)
	require.GreaterOrEqual(t, 30*l.Bot.Every, time.Second, "rounding never makes it faster")
	inAMinute := l.Group.Burst + int(time.Minute/l.Group.Every)
	require.Equal(t, 20, inAMinute)
}

// until waits for a count to be more than zero.
func (b *bundle) until(t *testing.T, query string) {
	t.Helper()
	require.Eventually(t, func() bool {
		var n int
		return b.Pool.QueryRow(context.Background(), query).Scan(&n) == nil && n > 0
	}, 10*time.Second, time.Millisecond)
}

// BenchmarkPermit is what pacing adds to each message: one statement on a real PostgreSQL.
func BenchmarkPermit(b *testing.B) {
	s := setup(b, func(*pacing.Limits) {})
	p := s.replica(b)
	permit := func(b *testing.B, n int64) { require.NoError(b, p.Permit(context.Background(), s.chat(1+n%100))) }
	b.Run("alone", func(b *testing.B) {
		for n := int64(0); b.Loop(); n++ {
			permit(b, n)
		}
	})
	b.Run("16AtOnce", func(b *testing.B) {
		var n atomic.Int64
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				permit(b, n.Add(1))
			}
		})
	})
}
