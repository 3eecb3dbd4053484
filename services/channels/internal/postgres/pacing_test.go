package postgres_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
	"github.com/knobot/knobot/services/channels/internal/postgres"
)

// pacingBundle asks for places at times that the test chooses.
type pacingBundle struct {
	*channelstest.Bundle
	integration string
	start       time.Time
}

func newPacing(t testing.TB) *pacingBundle {
	t.Helper()
	b := channelstest.New(t)
	return &pacingBundle{Bundle: b, integration: b.WhatsApp(t).ID, start: time.Now().Truncate(time.Second)}
}

func shared(every time.Duration, burst int) channels.Quota {
	return channels.Quota{Name: "number", Every: every, Burst: burst}
}

func own(recipient string, every time.Duration, burst int) channels.Quota {
	return channels.Quota{Recipient: recipient, Name: "pair", Every: every, Burst: burst}
}

func (b *pacingBundle) take(t testing.TB, at, patience time.Duration, quotas ...channels.Quota) channels.Place {
	t.Helper()
	p, err := b.Store.TakePlace(t.Context(), channels.PlaceRequest{
		IntegrationID: b.integration, Quotas: quotas, PausedFor: []string{"", quotas[0].Recipient}, Patience: patience, Now: b.start.Add(at),
	})
	require.NoError(t, err)
	return p
}

func TestPlaces(t *testing.T) {
	t.Parallel()

	t.Run("BurstOf45ThenOneIn6Seconds", func(t *testing.T) {
		t.Parallel()
		b := newPacing(t)
		pair := own("ana", 6*time.Second, 45)
		for range 45 {
			require.Equal(t, channels.Place{Taken: true}, b.take(t, 0, 0, pair))
		}
		require.Equal(t, channels.Place{Wait: 6 * time.Second}, b.take(t, 0, 0, pair))
		require.Equal(t, channels.Place{Wait: time.Second}, b.take(t, 5*time.Second, 0, pair))
		require.Equal(t, channels.Place{Taken: true}, b.take(t, 6*time.Second, 0, pair))
		require.Equal(t, channels.Place{Wait: 6 * time.Second}, b.take(t, 6*time.Second, 0, pair))
		require.Equal(t, channels.Place{Taken: true}, b.take(t, 0, 0, own("luis", 6*time.Second, 45)), "nobody else waits")
	})

	t.Run("PlacesOfTheNumberFormAQueue", func(t *testing.T) {
		t.Parallel()
		b := newPacing(t)
		number := shared(100*time.Millisecond, 1)
		for n := range 4 {
			require.Equal(t, channels.Place{Taken: true, Wait: time.Duration(n) * 100 * time.Millisecond}, b.take(t, 0, 300*time.Millisecond, number))
		}
		require.Equal(t, channels.Place{Wait: 400 * time.Millisecond}, b.take(t, 0, 300*time.Millisecond, number), "not further ahead than that")
	})

	t.Run("WhoWaitsForItselfTakesNothing", func(t *testing.T) {
		t.Parallel()
		b := newPacing(t)
		number := shared(time.Second, 1)
		require.True(t, b.take(t, 0, 0, own("ana", time.Minute, 1), number).Taken)
		for range 3 {
			require.Equal(t, channels.Place{Wait: 50 * time.Second}, b.take(t, 10*time.Second, time.Second, own("ana", time.Minute, 1), number))
		}
		require.Equal(t, channels.Place{Taken: true}, b.take(t, 10*time.Second, 0, own("luis", time.Minute, 1), number))
		require.Equal(t, channels.Place{Taken: true, Wait: time.Second}, b.take(t, 10*time.Second, time.Second, own("eva", time.Minute, 1), number))
		require.Equal(t, channels.Place{Wait: 2 * time.Second}, b.take(t, 10*time.Second, time.Second, own("leo", time.Minute, 1), number))
		require.Equal(t, channels.Place{Taken: true, Wait: 0}, b.take(t, 12*time.Second, 0, own("leo", time.Minute, 1), number), "all or nothing")
	})

	t.Run("ReturnedPlaceIsFreeAgain", func(t *testing.T) {
		t.Parallel()
		b := newPacing(t)
		quotas := []channels.Quota{own("ana", time.Minute, 1), shared(time.Second, 1)}
		require.True(t, b.take(t, 0, 0, quotas...).Taken)
		require.NoError(t, b.Store.ReturnPlace(t.Context(), b.integration, quotas))
		require.Equal(t, channels.Place{Taken: true}, b.take(t, 0, 0, quotas...))
	})

	t.Run("PauseCountsAndTakesNothing", func(t *testing.T) {
		t.Parallel()
		b := newPacing(t)
		ana, number := own("ana", time.Minute, 1), shared(time.Second, 1)
		require.NoError(t, b.Store.Pause(t.Context(), b.integration, "ana", time.Hour))
		place := b.take(t, 0, time.Second, ana, number)
		require.False(t, place.Taken)
		require.InDelta(t, time.Hour, place.Wait, float64(time.Minute))
		require.True(t, b.take(t, 0, 0, own("luis", time.Minute, 1), number).Taken)
		b.Exec(t, `delete from pauses`)
		require.True(t, b.take(t, time.Second, 0, ana, number).Taken)
	})

	t.Run("FullQuotasArePruned", func(t *testing.T) {
		t.Parallel()
		b := newPacing(t)
		b.take(t, -2*time.Hour, 0, own("ana", time.Second, 1))
		b.take(t, 0, 0, own("luis", time.Second, 1))
		pruned, err := b.Store.PrunePacing(t.Context(), time.Hour, 10)
		require.NoError(t, err)
		require.EqualValues(t, 1, pruned)
		require.Equal(t, channels.Place{Wait: time.Second}, b.take(t, 0, 0, own("luis", time.Second, 1)))
	})
}

// TestReplicasTogetherNeverExceed has many callers over several pools ask for the same places at one moment, while old rows
// are pruned.
func TestReplicasTogetherNeverExceed(t *testing.T) {
	t.Parallel()
	b := newPacing(t)
	const replicas, callers, pairs = 3, 8, 4
	var ofNumber atomic.Int64
	var ofPair [pairs]atomic.Int64
	var group errgroup.Group
	for range replicas {
		pool, err := pgxpool.NewWithConfig(t.Context(), b.Pool.Config())
		require.NoError(t, err)
		t.Cleanup(pool.Close)
		store := postgres.NewStore(pool, b.Sealer)
		for caller := range callers {
			group.Go(func() error {
				for n := range 50 {
					pair := (caller + n) % pairs
					place, err := store.TakePlace(context.Background(), channels.PlaceRequest{
						IntegrationID: b.integration, Now: b.start, PausedFor: []string{""},
						Quotas: []channels.Quota{own(fmt.Sprint("customer-", pair), time.Hour, 20), shared(time.Minute, 70)},
					})
					if err != nil {
						return err
					}
					if place.Taken {
						ofNumber.Add(1)
						ofPair[pair].Add(1)
					}
				}
				return nil
			})
		}
	}
	group.Go(func() error {
		for range 50 {
			if _, err := b.Store.PrunePacing(context.Background(), time.Hour, 100); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, group.Wait())
	require.EqualValues(t, 70, ofNumber.Load(), "exactly the burst, and nothing is lost")
	for n := range ofPair {
		require.LessOrEqual(t, ofPair[n].Load(), int64(20))
	}
}
