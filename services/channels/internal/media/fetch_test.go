package media_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
)

func TestFetch(t *testing.T) {
	t.Parallel()

	t.Run("FileOfEitherPlatformIsKeptUnderItsOwnKey", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, i := range []channels.Integration{b.WhatsApp(t), b.Telegram(t)} {
			m, err := b.fetch(t.Context(), i)
			require.NoError(t, err)
			require.Equal(t, i.ID, m.IntegrationID)
			require.Equal(t, "image/jpeg", m.MIMEType)
			require.EqualValues(t, len(jpeg), m.SizeBytes)
			require.Equal(t, hexSum(jpeg), m.SHA256)
			require.WithinDuration(t, time.Now(), m.CreateTime, time.Minute)
			require.Contains(t, b.kept(t), i.ID+"/"+m.ID)
			require.Equal(t, jpeg, b.read(t, m.ID))
		}
		require.Zero(t, b.rows(t, "media_writes"))
	})

	t.Run("NameAndTypeAreTheStatedOnesAsFarAsTheyAreSane", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.Telegram(t)
		b.provider.content = "<html><script>"
		m, err := b.media.Fetch(t.Context(), i.ID, channels.ReceivedMedia{ProviderID: "a", MIMEType: "text/html", Filename: "../../a\x00.html"})
		require.NoError(t, err)
		require.Equal(t, "application/octet-stream", m.MIMEType)
		require.Equal(t, "a.html", m.Filename)
		b.provider.content = "OggS\x00 a voice"
		m, err = b.media.Fetch(t.Context(), i.ID, channels.ReceivedMedia{ProviderID: "b", MIMEType: "audio/ogg; codecs=opus"})
		require.NoError(t, err)
		require.Equal(t, "audio/ogg; codecs=opus", m.MIMEType)
	})

	t.Run("SameFileAgainIsNotAskedFor", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.WhatsApp(t)
		first, err := b.fetch(t.Context(), i)
		require.NoError(t, err)
		b.provider.Close()
		_, err = b.Integrations.Update(t.Context(), i.ID, nil)
		require.NoError(t, err)
		again, err := b.fetch(t.Context(), i)
		require.NoError(t, err)
		require.Equal(t, first, again)
	})

	t.Run("HashMayBeStatedInHexOrBase64ByWebhookAndProvider", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.WhatsApp(t)
		sum := sha256.Sum256([]byte(jpeg))
		for n, hash := range []string{
			hexSum(jpeg), strings.ToUpper(hexSum(jpeg)), base64.StdEncoding.EncodeToString(sum[:]), base64.RawURLEncoding.EncodeToString(sum[:]), "4654+8g=", "",
		} {
			_, err := b.media.Fetch(t.Context(), i.ID, channels.ReceivedMedia{ProviderID: string(rune('1' + n)), SHA256: hash})
			require.NoError(t, err, hash)
		}
		wrong := sha256.Sum256([]byte("other"))
		_, err := b.media.Fetch(t.Context(), i.ID, channels.ReceivedMedia{ProviderID: "90", SHA256: base64.StdEncoding.EncodeToString(wrong[:])})
		requireFault(t, err, fault.Precondition, "MEDIA_CORRUPT")
		b.provider.sha256 = hexSum("other")
		_, err = b.media.Fetch(t.Context(), i.ID, channels.ReceivedMedia{ProviderID: "91"})
		requireFault(t, err, fault.Precondition, "MEDIA_CORRUPT")
		require.Len(t, b.kept(t), 6)
		require.Equal(t, 6, b.rows(t, "media"))
	})

	t.Run("WhatCannotBeTakenInLeavesNothing", func(t *testing.T) {
		t.Parallel()
		half := func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
		}
		short := func(w http.ResponseWriter, _ *http.Request) { // ends in order, but early
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, "ha")
		}
		endless := func(w http.ResponseWriter, _ *http.Request) {
			for range channels.MaxMediaBytes>>16 + 2 {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}
		long := func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "26214401") }
		b := setup(t)
		for _, c := range []struct {
			file   http.HandlerFunc
			kind   fault.Kind
			reason string
		}{
			{half, fault.Unavailable, "PROVIDER_UNAVAILABLE"},
			{short, fault.Unavailable, "PROVIDER_UNAVAILABLE"},
			{func(http.ResponseWriter, *http.Request) {}, fault.Unavailable, "PROVIDER_UNAVAILABLE"},
			{endless, fault.Precondition, "MEDIA_TOO_LARGE"},
			{long, fault.Precondition, "MEDIA_TOO_LARGE"},
		} {
			b.provider.file = c.file
			_, err := b.fetch(t.Context(), telegramOf(t, b))
			requireFault(t, err, c.kind, c.reason)
		}
		_, err := b.media.Fetch(t.Context(), telegramOf(t, b).ID, channels.ReceivedMedia{ProviderID: "a", SizeBytes: channels.MaxMediaBytes + 1})
		requireFault(t, err, fault.Precondition, "MEDIA_TOO_LARGE")
		require.Empty(t, b.kept(t))
		require.Zero(t, b.rows(t, "media"))
	})

	t.Run("RefusedTokenStopsTheIntegration", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.WhatsApp(t)
		b.provider.located = func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"message":"token `+channelstest.AccessToken+` expired","code":190}}`)
		}
		_, err := b.fetch(t.Context(), i)
		requireFault(t, err, fault.Precondition, "INTEGRATION_STOPPED")
		stopped, err := b.Integrations.Get(t.Context(), i.ID)
		require.NoError(t, err)
		state, reason := stopped.State()
		require.Equal(t, channels.StateStopped, state)
		require.NotContains(t, reason, channelstest.AccessToken)
		b.provider.located = nil
		_, err = b.fetch(t.Context(), i)
		requireFault(t, err, fault.Precondition, "INTEGRATION_STOPPED")
	})

	t.Run("ProviderMayAskToWait", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.provider.located = func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":7}}`)
		}
		_, err := b.fetch(t.Context(), b.Telegram(t))
		requireFault(t, err, fault.Throttled, "THROTTLED")
		after, ok := fault.RetryAfterOf(err)
		require.True(t, ok)
		require.Equal(t, 7*time.Second, after)
		b.provider.located = func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"ok":false,"error_code":429,"description":"Too Many Requests"}`)
		}
		_, err = b.fetch(t.Context(), telegramOf(t, b))
		after, _ = fault.RetryAfterOf(err)
		require.Positive(t, after)
	})

	t.Run("NoTokenIsInALogOrAnError", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.Telegram(t)
		b.provider.Close()
		_, err := b.fetch(t.Context(), i)
		requireFault(t, err, fault.Unavailable, "PROVIDER_UNAVAILABLE")
		require.NotContains(t, err.Error(), "canary")
		for _, entry := range b.Logs.All() {
			require.NotContains(t, entry.Message, "canary")
			for _, f := range entry.Context {
				require.NotContains(t, f.String, "canary")
			}
		}
	})
}

// telegramOf returns the one bot of a bundle, made when it is first asked for.
func telegramOf(t *testing.T, b *bundle) channels.Integration {
	t.Helper()
	all, err := b.Integrations.List(t.Context(), channels.Telegram, "", "", 1)
	require.NoError(t, err)
	if len(all) > 0 {
		return all[0]
	}
	return b.Telegram(t)
}

func TestFetchesAtOnce(t *testing.T) {
	t.Parallel()

	t.Run("OneFetchesAndAllHaveTheSame", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.WhatsApp(t)
		asked, release := make(chan struct{}, 16), make(chan struct{})
		b.provider.file = func(w http.ResponseWriter, _ *http.Request) {
			asked <- struct{}{}
			<-release
			_, _ = io.WriteString(w, jpeg)
		}
		ids := make([]string, 8)
		var group errgroup.Group
		for n := range ids {
			group.Go(func() error {
				m, err := b.fetch(t.Context(), i)
				ids[n] = m.ID
				return err
			})
		}
		<-asked
		close(release)
		require.NoError(t, group.Wait())
		for _, id := range ids {
			require.Equal(t, ids[0], id)
		}
		require.EqualValues(t, 1, b.provider.files.Load())
		require.Equal(t, 1, b.rows(t, "media"))
	})

	t.Run("ReplicasAgreeAndTheLosersBytesAreReaped", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.WhatsApp(t)
		other := b.replica(t)
		both, release := make(chan struct{}, 2), make(chan struct{})
		b.provider.file = func(w http.ResponseWriter, _ *http.Request) {
			both <- struct{}{}
			<-release
			_, _ = io.WriteString(w, jpeg)
		}
		var ids [2]string
		var group errgroup.Group
		for n, s := range []interface {
			Fetch(context.Context, string, channels.ReceivedMedia) (channels.MediaRecord, error)
		}{b.media, other} {
			group.Go(func() error {
				m, err := s.Fetch(t.Context(), i.ID, channels.ReceivedMedia{ProviderID: whatsAppID})
				ids[n] = m.ID
				return err
			})
		}
		<-both
		<-both
		close(release)
		require.NoError(t, group.Wait())
		require.Equal(t, ids[0], ids[1])
		require.Equal(t, 1, b.rows(t, "media"))
		require.Equal(t, 1, b.rows(t, "media_writes"))
		b.Exec(t, `update media_writes set create_time = now() - interval '2 hours'`)
		b.reap(t)
		require.Equal(t, []string{i.ID + "/" + ids[0]}, b.kept(t))
	})

	t.Run("FetchGoesOnWhenItsCallerLeaves", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.WhatsApp(t)
		asked, release := make(chan struct{}, 1), make(chan struct{})
		b.provider.file = func(w http.ResponseWriter, _ *http.Request) {
			asked <- struct{}{}
			<-release
			_, _ = io.WriteString(w, jpeg)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var group errgroup.Group
		group.Go(func() error { _, err := b.fetch(ctx, i); return err })
		<-asked
		cancel()
		require.ErrorIs(t, group.Wait(), context.Canceled)
		close(release)
		require.Eventually(t, func() bool { return b.rows(t, "media") == 1 }, 10*time.Second, 10*time.Millisecond)
	})

	t.Run("CloseBreaksOffWhatIsUnderWay", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.WhatsApp(t)
		asked := make(chan struct{}, 1)
		b.provider.file = func(_ http.ResponseWriter, r *http.Request) {
			asked <- struct{}{}
			<-r.Context().Done()
		}
		var group errgroup.Group
		group.Go(func() error { _, err := b.fetch(t.Context(), i); return err })
		<-asked
		b.media.Close()
		requireFault(t, group.Wait(), fault.Unavailable, "PROVIDER_UNAVAILABLE")
	})
}

func TestFilesThatAreNotInTheBucketAnyMore(t *testing.T) {
	t.Parallel()

	lose := func(t *testing.T, b *bundle, m channels.MediaRecord) {
		t.Helper()
		require.NoError(t, os.Remove(filepath.Join(b.dir, m.BlobKey)))
	}

	t.Run("ReceivedOnesAreFetchedAgainUnderTheirID", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.WhatsApp(t)
		m, err := b.fetch(t.Context(), i)
		require.NoError(t, err)
		lose(t, b, m)
		require.Equal(t, jpeg, b.read(t, m.ID))
		require.NoError(t, os.WriteFile(filepath.Join(b.dir, m.BlobKey), []byte("half"), 0o600))
		again, err := b.fetch(t.Context(), i)
		require.NoError(t, err)
		require.Equal(t, m, again)
		require.Equal(t, jpeg, b.read(t, m.ID))
		require.EqualValues(t, 3, b.provider.files.Load())
	})

	t.Run("OthersAreNotPutInTheirPlace", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.WhatsApp(t)
		m, err := b.fetch(t.Context(), i)
		require.NoError(t, err)
		lose(t, b, m)
		b.provider.content = "another"
		_, err = b.fetch(t.Context(), i)
		requireFault(t, err, fault.Precondition, "MEDIA_CORRUPT")
		_, _, err = b.media.Open(t.Context(), m.ID)
		requireFault(t, err, fault.NotFound, "MEDIA_NOT_FOUND")
		b.provider.Close()
		_, _, err = b.media.Open(t.Context(), m.ID)
		requireFault(t, err, fault.Unavailable, "PROVIDER_UNAVAILABLE")
	})

	t.Run("UploadedOnesAreLost", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		m, err := b.upload(t, b.WhatsApp(t).ID, "image/jpeg", jpeg)
		require.NoError(t, err)
		lose(t, b, m)
		_, _, err = b.media.Open(t.Context(), m.ID)
		requireFault(t, err, fault.NotFound, "MEDIA_NOT_FOUND")
	})
}
