package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/platform/sealing/sealingtest"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
	"github.com/knobot/knobot/services/channels/internal/postgres"
)

func TestReSeal(t *testing.T) {
	t.Parallel()

	type bundle struct {
		*channelstest.Bundle
		sealingtest.Keys
	}
	setup := func(t *testing.T) *bundle { t.Helper(); return &bundle{channelstest.New(t), sealingtest.NewKeys(t)} }
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
		i := entered(t, with(b, b.Old))

		counted, err := with(b, b.Both).ReSeal(t.Context(), true)
		require.NoError(t, err)
		require.Equal(t, 2, counted.Outdated())
		require.Zero(t, counted.ReSealed)
		unread, err := with(b, b.Fresh).Get(t.Context(), i.ID)
		require.NoError(t, err)
		require.True(t, unread.Unreadable, "counting changes nothing")

		sealed, err := with(b, b.Both).ReSeal(t.Context(), false)
		require.NoError(t, err)
		require.Equal(t, 2, sealed.ReSealed)
		require.ElementsMatch(t, []sealing.Key{{ID: b.OldID, Known: true}, {ID: b.FreshID, Known: true, Primary: true, Secrets: 2}}, sealed.Keys)
		read, err := with(b, b.Fresh).Get(t.Context(), i.ID)
		require.NoError(t, err)
		require.False(t, read.Unreadable)
		require.Equal(t, channels.Secret(channelstest.AccessToken), read.Secret(channels.AccessToken))
		require.Equal(t, i.Revision, read.Revision, "nobody who watches need hear of it")

		again, err := with(b, b.Both).ReSeal(t.Context(), false)
		require.NoError(t, err)
		require.Zero(t, again.ReSealed, "a repeat finds nothing to do")
	})

	t.Run("WhatNoKeyOpensIsCountedAndKept", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := entered(t, with(b, b.Old))
		sealed, err := with(b, b.Fresh).ReSeal(t.Context(), false)
		require.NoError(t, err)
		require.Equal(t, 2, sealed.Unreadable)
		require.Zero(t, sealed.ReSealed)
		require.Contains(t, sealed.Keys, sealing.Key{ID: b.OldID, Secrets: 2})
		read, err := with(b, b.Old).Get(t.Context(), i.ID)
		require.NoError(t, err)
		require.False(t, read.Unreadable)
	})
}
