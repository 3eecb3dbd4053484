package media_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/media"
)

func (b *bundle) upload(t *testing.T, integrationID, mimeType, content string) (channels.MediaRecord, error) {
	t.Helper()
	return b.media.Upload(t.Context(), media.Upload{
		IntegrationID: integrationID, MIMEType: mimeType, Filename: "dir/file", Body: strings.NewReader(content),
	})
}

// reap runs the reaper until it has looked once.
func (b *bundle) reap(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.media.RunReaper(ctx, 0) }()
	require.Eventually(t, func() bool {
		var old int
		err := b.Pool.QueryRow(t.Context(), `select count(*) from media_writes where create_time < now() - interval '1 hour'`).Scan(&old)
		return err == nil && old == 0
	}, 10*time.Second, 10*time.Millisecond)
	cancel()
	require.NoError(t, <-done)
}

func TestUpload(t *testing.T) {
	t.Parallel()

	t.Run("FileIsKeptAndComesBack", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.WhatsApp(t)
		m, err := b.upload(t, i.ID, "image/jpeg", jpeg)
		require.NoError(t, err)
		require.Equal(t, channels.StoredFile{
			ID: m.ID, IntegrationID: i.ID, MIMEType: "image/jpeg", Filename: "file", SizeBytes: int64(len(jpeg)), SHA256: hexSum(jpeg),
		}, m.StoredFile)
		require.Empty(t, m.ProviderID)
		require.Equal(t, jpeg, b.read(t, m.ID))
		again, err := b.upload(t, i.ID, "image/jpeg", jpeg)
		require.NoError(t, err)
		require.NotEqual(t, m.ID, again.ID)
	})

	t.Run("WhatThePlatformDoesNotTakeIsRefused", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		number, bot := b.WhatsApp(t).ID, b.Telegram(t).ID
		for _, c := range []struct{ integration, mimeType, content, reason string }{
			{number, "image/gif", "GIF89a", "UNSUPPORTED_MEDIA_TYPE"},
			{number, "text/html", "<html>", "UNSUPPORTED_MEDIA_TYPE"},
			{bot, "text/html", "<html>", "UNSUPPORTED_MEDIA_TYPE"},
			{number, "image/png", jpeg, "UNSUPPORTED_MEDIA_TYPE"},
			{number, "application/pdf", "<html>", "UNSUPPORTED_MEDIA_TYPE"},
			{number, "image/jpeg", jpeg + strings.Repeat("x", 5<<20), "MEDIA_TOO_LARGE"},
			{bot, "application/pdf", "", "INVALID_REQUEST"},
		} {
			_, err := b.upload(t, c.integration, c.mimeType, c.content)
			requireFault(t, err, fault.Invalid, c.reason)
		}
		_, err := b.upload(t, bot, "image/gif", "GIF89a")
		require.NoError(t, err)
		_, err = b.upload(t, bot, "image/jpeg", jpeg+strings.Repeat("x", 5<<20))
		require.NoError(t, err)
		require.Len(t, b.kept(t), 2)
	})

	t.Run("IntegrationMustBeThere", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.upload(t, uuid.NewString(), "image/jpeg", jpeg)
		requireFault(t, err, fault.NotFound, "INTEGRATION_NOT_FOUND")
		i := b.WhatsApp(t)
		require.NoError(t, b.Integrations.Delete(t.Context(), i.ID))
		_, err = b.upload(t, i.ID, "image/jpeg", jpeg)
		requireFault(t, err, fault.NotFound, "INTEGRATION_NOT_FOUND")
	})

	t.Run("BrokenOffUploadLeavesNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		broken := errors.New("broken")
		_, err := b.media.Upload(t.Context(), media.Upload{IntegrationID: b.Telegram(t).ID, MIMEType: "text/plain", Body: iotest.ErrReader(broken)})
		require.ErrorIs(t, err, broken)
		require.Empty(t, b.kept(t))
		require.Equal(t, 1, b.rows(t, "media_writes"))
		b.Exec(t, `update media_writes set create_time = now() - interval '2 hours'`)
		b.reap(t)
		require.Zero(t, b.rows(t, "media_writes"))
	})

	t.Run("ReaperLeavesFreshWritesAndStoredFiles", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		m, err := b.upload(t, b.Telegram(t).ID, "image/jpeg", jpeg)
		require.NoError(t, err)
		b.Exec(t, `update media set create_time = now() - interval '2 days'`)
		require.NoError(t, b.Store.BeginMedia(t.Context(), "fresh/1"))
		require.NoError(t, b.bucket.Write(t.Context(), "fresh/1", strings.NewReader("x")))
		require.NoError(t, b.Store.BeginMedia(t.Context(), "old/1"))
		require.NoError(t, b.bucket.Write(t.Context(), "old/1", strings.NewReader("x")))
		b.Exec(t, `update media_writes set create_time = now() - interval '2 hours' where blob_key = 'old/1'`)
		b.reap(t)
		require.ElementsMatch(t, []string{m.BlobKey, "fresh/1"}, b.kept(t))
	})

	t.Run("WriteThatTheReaperOvertookIsNotStored", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		id := uuid.NewString()
		_, err := b.Store.CommitMedia(t.Context(), channels.MediaRecord{
			StoredFile: channels.StoredFile{ID: id, IntegrationID: b.Telegram(t).ID, SHA256: hexSum("")}, BlobKey: "reaped/1",
		})
		requireFault(t, err, fault.Unavailable, "MEDIA_STORE_UNAVAILABLE")
		require.Zero(t, b.rows(t, "media"))
		_, _, err = b.media.Open(t.Context(), id)
		requireFault(t, err, fault.NotFound, "MEDIA_NOT_FOUND")
		_, _, err = b.media.Open(t.Context(), "no-id")
		requireFault(t, err, fault.NotFound, "MEDIA_NOT_FOUND")
	})
}
