package delivery_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/pacing"
)

// slow makes a chat take a burst and then one message in so long.
func slow(t *testing.T, every time.Duration, burst int) *bundle {
	t.Helper()
	b := setup(t, channels.Telegram)
	b.limits.Chat = pacing.Limit{Every: every, Burst: burst}
	b.delivery = b.service()
	return b
}

func TestPacing(t *testing.T) {
	t.Parallel()

	t.Run("SplitAnswerGoesOutAtOnceAndItsEndInTime", func(t *testing.T) {
		t.Parallel()
		b := slow(t, 300*time.Millisecond, 3)
		start := time.Now()
		d, err := b.delivery.Send(t.Context(), b.message("uno\ndos\ntres\ncuatro\ncinco"))
		require.NoError(t, err)
		require.GreaterOrEqual(t, time.Since(start), 600*time.Millisecond)
		require.True(t, d.Settled())
		require.False(t, d.MaybeDuplicate)
		require.Equal(t, []string{"uno", "dos", "tres", "cuatro", "cinco"}, texts(b))
	})

	t.Run("LongWaitKeepsTheRestForTheNextCall", func(t *testing.T) {
		t.Parallel()
		b := slow(t, time.Minute, 2)
		_, err := b.delivery.Send(t.Context(), b.message("uno\ndos\ntres"))
		requireFault(t, err, fault.Throttled, "THROTTLED")
		after, _ := fault.RetryAfterOf(err)
		require.InDelta(t, time.Minute, after, float64(15*time.Second))
		b.Exec(t, `update pacing set on_time = on_time - interval '2 minutes'`)
		d, err := b.service().Send(t.Context(), b.message("uno\ndos\ntres"))
		require.NoError(t, err, "nobody holds the lease any more")
		require.False(t, d.MaybeDuplicate)
		require.Equal(t, []string{"uno", "dos", "tres"}, texts(b))
	})

	t.Run("RepeatTakesNoPlace", func(t *testing.T) {
		t.Parallel()
		b := slow(t, time.Minute, 2)
		for range 5 {
			_, err := b.delivery.Send(t.Context(), b.message("hola"))
			require.NoError(t, err)
		}
		second := b.message("otra")
		second.RequestID = "request-2"
		_, err := b.delivery.Send(t.Context(), second)
		require.NoError(t, err)
	})

	t.Run("CallerWhoGoesAwayWhileAPartWaitsLeavesTheRest", func(t *testing.T) {
		t.Parallel()
		b := slow(t, 1900*time.Millisecond, 1)
		ctx, cancel := context.WithCancel(t.Context())
		sent := make(chan struct{})
		b.Provider.Answer(func(context.Context, int, channels.SendRequest) (string, error) {
			defer close(sent)
			return "wamid.1", nil
		})
		result := make(chan error, 1)
		go func() {
			_, err := b.delivery.Send(ctx, b.message("uno\ndos"))
			result <- err
		}()
		<-sent
		cancel()
		requireFault(t, <-result, fault.Unavailable, "CALLER_GONE")
		b.Provider.Answer(nil)
		b.Exec(t, `delete from pacing`)
		d, err := b.delivery.Send(t.Context(), b.message("uno\ndos"))
		require.NoError(t, err)
		require.False(t, d.MaybeDuplicate)
		require.Equal(t, []string{"uno", "dos"}, texts(b))
	})

	t.Run("SignalsCountAgainstNothing", func(t *testing.T) {
		t.Parallel()
		b := slow(t, time.Minute, 1)
		for range 5 {
			require.NoError(t, b.delivery.Type(t.Context(), b.to, ""))
		}
		_, err := b.delivery.Send(t.Context(), b.message("hola"))
		require.NoError(t, err)
	})
}
