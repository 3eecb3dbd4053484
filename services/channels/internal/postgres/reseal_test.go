package postgres_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
	"github.com/knobot/knobot/services/channels/internal/postgres"
)

func TestReSeal(t *testing.T) {
	t.Parallel()

	// keysets are one with the old key alone, one with both whose new key seals, and one with the new key alone.
	type bundle struct {
		*channelstest.Bundle
		old, both, fresh *sealing.Sealer
		oldID, freshID   uint32
	}
	sealer := func(t *testing.T, handle *keyset.Handle) *sealing.Sealer {
		t.Helper()
		var text bytes.Buffer
		require.NoError(t, insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)))
		s, err := sealing.New(strings.TrimSpace(text.String()))
		require.NoError(t, err)
		return s
	}
	setup := func(t *testing.T) *bundle {
		t.Helper()
		b := &bundle{Bundle: channelstest.New(t)}
		manager := keyset.NewManager()
		var err error
		b.oldID, err = manager.Add(aead.AES256GCMKeyTemplate())
		require.NoError(t, err)
		handle := func() *keyset.Handle { h, err := manager.Handle(); require.NoError(t, err); return h }
		require.NoError(t, manager.SetPrimary(b.oldID))
		b.old = sealer(t, handle())
		b.freshID, err = manager.Add(aead.AES256GCMKeyTemplate())
		require.NoError(t, err)
		require.NoError(t, manager.SetPrimary(b.freshID))
		b.both = sealer(t, handle())
		require.NoError(t, manager.Delete(b.oldID))
		b.fresh = sealer(t, handle())
		return b
	}
	with := func(b *bundle, s *sealing.Sealer) *postgres.Store { return postgres.NewStore(b.Pool, s) }
	entered := func(t *testing.T, store *postgres.Store) channels.Integration {
		t.Helper()
		i := channels.Integration{
			ID: "0190fb1c-6f3a-7c3e-8f00-000000000001", Name: "Ventas", Platform: channels.WhatsApp, Enabled: true, Settings: channels.DefaultSettings(),
			WhatsApp: channels.WhatsAppConfig{PhoneNumberID: channelstest.PhoneNumberID},
			Secrets: []channels.StoredSecret{
				{Field: channels.AccessToken, Value: channelstest.AccessToken}, {Field: channels.AppSecret, Value: channelstest.AppSecret},
			},
		}
		stored, err := store.Create(t.Context(), i)
		require.NoError(t, err)
		return stored
	}

	t.Run("OldKeyCanBeTakenAwayAfterwards", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := entered(t, with(b, b.old))

		counted, err := with(b, b.both).ReSeal(t.Context(), true)
		require.NoError(t, err)
		require.Equal(t, 2, counted.Outdated())
		require.Zero(t, counted.ReSealed)
		unread, err := with(b, b.fresh).Get(t.Context(), i.ID)
		require.NoError(t, err)
		require.True(t, unread.Unreadable, "counting changes nothing")

		sealed, err := with(b, b.both).ReSeal(t.Context(), false)
		require.NoError(t, err)
		require.Equal(t, 2, sealed.ReSealed)
		require.ElementsMatch(t, []channels.SealingKey{{ID: b.oldID, Known: true}, {ID: b.freshID, Known: true, Primary: true, Secrets: 2}}, sealed.Keys)
		read, err := with(b, b.fresh).Get(t.Context(), i.ID)
		require.NoError(t, err)
		require.False(t, read.Unreadable)
		require.Equal(t, channels.Secret(channelstest.AccessToken), read.Secret(channels.AccessToken))
		require.Equal(t, i.Revision, read.Revision, "nobody who watches need hear of it")

		again, err := with(b, b.both).ReSeal(t.Context(), false)
		require.NoError(t, err)
		require.Zero(t, again.ReSealed, "a repeat finds nothing to do")
	})

	t.Run("WhatNoKeyOpensIsCountedAndKept", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := entered(t, with(b, b.old))
		sealed, err := with(b, b.fresh).ReSeal(t.Context(), false)
		require.NoError(t, err)
		require.Equal(t, 2, sealed.Unreadable)
		require.Zero(t, sealed.ReSealed)
		require.Contains(t, sealed.Keys, channels.SealingKey{ID: b.oldID, Secrets: 2})
		read, err := with(b, b.old).Get(t.Context(), i.ID)
		require.NoError(t, err)
		require.False(t, read.Unreadable)
	})
}
