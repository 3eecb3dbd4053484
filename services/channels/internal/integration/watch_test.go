package integration_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
	"github.com/knobot/knobot/services/channels/internal/integration"
)

// news is one call of emit.
type news struct {
	changed  []channels.Integration
	revision int64
}

// watch starts a watch and returns its news and its end.
func watch(t *testing.T, s *integration.Service, draining <-chan struct{}) (<-chan news, <-chan error) {
	t.Helper()
	stream, end := make(chan news, 100), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() {
		end <- s.Watch(ctx, draining, func(changed []channels.Integration, revision int64) error {
			stream <- news{changed, revision}
			return nil
		})
	}()
	return stream, end
}

func receive(t *testing.T, stream <-chan news) news {
	t.Helper()
	select {
	case n := <-stream:
		return n
	case <-time.After(10 * time.Second):
		require.FailNow(t, "no news")
		return news{}
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()

	t.Run("SnapshotThenChangesFromAnyReplica", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		first := b.WhatsApp(t)
		stream, _ := watch(t, b.Integrations, nil)
		snapshot := receive(t, stream)
		require.Len(t, snapshot.changed, 1)

		replica := integration.New(integration.Config{}, b.Store, b.Provider, b.Log)
		_, err := replica.Update(t.Context(), first.ID, []integration.Edit{func(i *channels.Integration, _ time.Time) { i.Enable(false) }})
		require.NoError(t, err)
		change := receive(t, stream)
		require.Len(t, change.changed, 1)
		state, _ := change.changed[0].State()
		require.Equal(t, channels.StateDisabled, state)
		require.Greater(t, change.revision, snapshot.revision)
	})

	t.Run("ExpiredSecretAndPurgedTombstoneAreNews", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		kept, gone := update(t, b, b.Telegram(t).ID, set(channels.WebhookSecret, "new-secret")), b.WhatsApp(t)
		require.NoError(t, b.Integrations.Delete(t.Context(), gone.ID))
		stream, _ := watch(t, b.Integrations, nil)
		require.Len(t, receive(t, stream).changed, 2, "tombstones are included")

		b.Exec(t, `update secrets set expire_time = now() where expire_time is not null`)
		b.Exec(t, `update integrations set delete_time = delete_time - interval '8 days'`)
		require.NoError(t, b.Store.Expire(t.Context(), integration.Keep))
		changed := map[string]channels.Integration{}
		for _, i := range receive(t, stream).changed {
			changed[i.ID] = i
		}
		require.Len(t, changed[kept.ID].ValidSecrets(channels.WebhookSecret), 1)
		require.False(t, changed[gone.ID].PurgeTime.IsZero())
	})

	t.Run("NothingIsMissedUnderConcurrentChanges", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		i := b.WhatsApp(t)
		stream, _ := watch(t, b.Integrations, nil)
		seen := receive(t, stream)
		var writers errgroup.Group
		for range 8 {
			writers.Go(func() error {
				_, err := b.Integrations.Update(t.Context(), i.ID, []integration.Edit{func(i *channels.Integration, _ time.Time) { i.Name += "x" }})
				return err
			})
		}
		require.NoError(t, writers.Wait())
		for seen.changed[0].Name != i.Name+"xxxxxxxx" {
			seen = receive(t, stream)
		}
		require.Equal(t, i.Revision+8, seen.revision)
	})

	t.Run("DrainingEndsItAsUnavailable", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		draining := make(chan struct{})
		stream, end := watch(t, b.Integrations, draining)
		receive(t, stream)
		close(draining)
		require.Equal(t, fault.Unavailable, fault.KindOf(<-end))
	})

	t.Run("NothingIsSaidBeforeTheSeed", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		unseeded := integration.New(integration.Config{}, b.Store, b.Provider, b.Log)
		stream, _ := watch(t, unseeded, nil)
		require.Never(t, func() bool { return len(stream) > 0 }, 500*time.Millisecond, 50*time.Millisecond)
		unseeded.Seeded()
		require.Empty(t, receive(t, stream).changed)
	})
}

func TestNaming(t *testing.T) {
	t.Parallel()
	b := channelstest.New(t)
	bot := b.Telegram(t)
	b.WhatsApp(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Integrations.RunNaming(ctx) }()
	require.Eventually(t, func() bool {
		i, err := b.Integrations.Get(t.Context(), bot.ID)
		return err == nil && i.Telegram.BotUsername == "knobot_bot"
	}, 10*time.Second, 20*time.Millisecond)
	cancel()
	require.NoError(t, <-done)
}

func TestWebhook(t *testing.T) {
	t.Parallel()

	t.Run("BaseAddressIsCompleted", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		i := b.Telegram(t)
		const whole = "https://example.org/api/integrations/webhooks/telegram/"
		for _, address := range []string{"https://example.org", "https://example.org/", whole, whole[:len(whole)-1]} {
			info, err := b.Integrations.SetWebhook(t.Context(), i.ID, address)
			require.NoError(t, err)
			require.Equal(t, whole, info.URL)
			require.Equal(t, channelstest.WebhookSecret, b.Provider.Secret)
		}
		info, err := b.Integrations.WebhookInfo(t.Context(), i.ID)
		require.NoError(t, err)
		require.Equal(t, whole, info.URL)
	})

	t.Run("OnlyHTTPSUnlessAnEmulatorStandsIn", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		i := b.Telegram(t)
		for _, address := range []string{"http://example.org", "ftp://example.org", "example.org", "https://user:pass@example.org", "https://", "::"} {
			_, err := b.Integrations.SetWebhook(t.Context(), i.ID, address)
			requireReason(t, err, "INVALID_URL")
		}
		emulator := integration.New(integration.Config{CustomBotAPI: true}, b.Store, b.Provider, b.Log)
		_, err := emulator.SetWebhook(t.Context(), i.ID, "http://127.0.0.1:9000")
		require.NoError(t, err)
	})

	t.Run("WhatsAppHasNone", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		_, err := b.Integrations.SetWebhook(t.Context(), b.WhatsApp(t).ID, "https://example.org")
		requireReason(t, err, "NOT_TELEGRAM")
	})

	t.Run("RefusedTokenIsSaid", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		i := b.Telegram(t)
		b.Provider.WebhookErr = &channels.SendError{Class: channels.ClassStopIntegration, Code: 401, Message: "Unauthorized"}
		_, err := b.Integrations.SetWebhook(t.Context(), i.ID, "https://example.org")
		requireReason(t, err, "BOT_TOKEN_REFUSED")
		_, err = b.Integrations.WebhookInfo(t.Context(), i.ID)
		requireReason(t, err, "BOT_TOKEN_REFUSED")
	})
}
