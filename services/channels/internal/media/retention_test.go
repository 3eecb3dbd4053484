package media_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/erasure"
)

func TestReceivedFilesAreKeptAsLongAsTheirIntegrationSays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	week := 7 * 24 * time.Hour
	short, long := b.WhatsApp(t), b.Telegram(t)
	_, err := b.Store.Change(t.Context(), short.ID, func(i *channels.Integration, _ time.Time) error {
		i.Settings.Retention.Media = &week
		return nil
	})
	require.NoError(t, err)
	for _, i := range []channels.Integration{short, long} {
		_, err := b.fetch(t.Context(), i)
		require.NoError(t, err)
	}
	_, err = b.upload(t, short.ID, "image/jpeg", jpeg)
	require.NoError(t, err)
	b.Exec(t, `update media set create_time = now() - interval '8 days'`)
	expire := func(keep time.Duration, left int) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.media.RunReaper(ctx, keep) }()
		require.Eventually(t, func() bool { return b.rows(t, "media") == left }, 10*time.Second, 10*time.Millisecond)
		cancel()
		require.NoError(t, <-done)
	}
	expire(0, 2)
	require.Equal(t, 1, b.rows(t, "media where provider_id is not null and integration_id = '"+long.ID+"'"), "kept for ever")
	expire(time.Hour, 1)
	require.Equal(t, 1, b.rows(t, "media where provider_id is null"), "the company's own stays")
	require.Len(t, b.kept(t), 1)
}

func TestFileThatComesWhileItsCustomerIsForgottenIsNotKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.WhatsApp(t)
	asked, release := make(chan struct{}, 1), make(chan struct{})
	b.provider.file = func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-release
		_, _ = io.WriteString(w, jpeg)
	}
	fetched := make(chan error, 1)
	go func() { _, err := b.fetch(t.Context(), i); fetched <- err }()
	<-asked
	eraser := erasure.New(b.Store, b.bucket)
	require.NoError(t, eraser.Forget(t.Context(), channels.Traces{IntegrationID: i.ID, ProviderMedia: []string{whatsAppID}}))
	close(release)
	requireFault(t, <-fetched, fault.Precondition, "MEDIA_GONE")
	require.Zero(t, b.rows(t, "media"))
	require.Empty(t, b.kept(t))
	b.provider.file = nil
	b.Exec(t, `update forgotten_media set create_time = now() - interval '11 minutes'`)
	_, err := b.fetch(t.Context(), i)
	require.NoError(t, err, "later it may come again")
}
