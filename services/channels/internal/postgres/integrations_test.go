package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
	"github.com/knobot/knobot/services/channels/internal/postgres"
)

func TestGet(t *testing.T) {
	t.Parallel()

	// other is a replica: what it changes, the first one's store has not seen.
	setup := func(t *testing.T) (store, other *postgres.Store, i channels.Integration) {
		t.Helper()
		b := channelstest.New(t)
		other = postgres.NewStore(b.Pool, b.Sealer)
		i, err := other.Create(t.Context(), channels.Integration{
			ID: "0190fb1c-6f3a-7c3e-8f00-000000000001", Name: "Ventas", Platform: channels.WhatsApp, Enabled: true, Settings: channels.DefaultSettings(),
			WhatsApp: channels.WhatsAppConfig{PhoneNumberID: channelstest.PhoneNumberID},
			Secrets: []channels.StoredSecret{
				{Field: channels.AccessToken, Value: channelstest.AccessToken}, {Field: channels.AppSecret, Value: channelstest.AppSecret},
			},
		})
		require.NoError(t, err)
		return b.Store, other, i
	}
	change := func(t *testing.T, s *postgres.Store, id string, edit func(i *channels.Integration, now time.Time)) {
		t.Helper()
		_, err := s.Change(t.Context(), id, func(i *channels.Integration, now time.Time) error { edit(i, now); return nil })
		require.NoError(t, err)
	}

	t.Run("SeesWhatAnotherReplicaChanged", func(t *testing.T) {
		t.Parallel()
		store, other, i := setup(t)
		for _, token := range []channels.Secret{"EAAB-second", "EAAB-third"} {
			before, err := store.Get(t.Context(), i.ID)
			require.NoError(t, err)
			again, err := store.Get(t.Context(), i.ID)
			require.NoError(t, err)
			require.Equal(t, before, again)
			change(t, other, i.ID, func(i *channels.Integration, now time.Time) {
				i.SetSecret(channels.AccessToken, token, now)
				i.Enabled = false
			})
			after, err := store.Get(t.Context(), i.ID)
			require.NoError(t, err)
			require.Equal(t, token, after.Secret(channels.AccessToken))
			require.False(t, after.Enabled)
		}
	})

	t.Run("SeesThatItIsGone", func(t *testing.T) {
		t.Parallel()
		store, other, i := setup(t)
		_, err := store.Get(t.Context(), i.ID)
		require.NoError(t, err)
		change(t, other, i.ID, func(i *channels.Integration, now time.Time) { i.DeleteTime = now })
		tombstone, err := store.Get(t.Context(), i.ID)
		require.NoError(t, err)
		require.False(t, tombstone.DeleteTime.IsZero())
		require.NoError(t, other.Expire(t.Context(), 0))
		for range 2 {
			_, err = store.Get(t.Context(), i.ID)
			require.ErrorIs(t, err, channels.ErrNotFound)
		}
	})
}
