package subscriptions_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/subscriptions"
)

func TestService(t *testing.T) {
	t.Parallel()

	t.Run("SecretIsShownOnceAndSealed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s, secret := b.subscribe(conversation.NoticeFailed, conversation.NoticeAnswered, conversation.NoticeFailed)
		require.Equal(t, []conversation.NoticeType{conversation.NoticeAnswered, conversation.NoticeFailed}, s.Types)
		require.True(t, strings.HasPrefix(secret, "whsec_"))
		var sealed []byte
		require.NoError(t, b.pool.QueryRow(t.Context(), `select secret from subscriptions`).Scan(&sealed))
		require.NotContains(t, string(sealed), secret)
		opened, err := b.sealer.Open(sealed, string(s.ID), "secret")
		require.NoError(t, err)
		require.Equal(t, secret, opened)
		_, err = b.sealer.Open(sealed, "another", "secret")
		require.Error(t, err)
	})

	t.Run("RefusesAddressesThatCannotBePostedTo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		public := subscriptions.NewService(b.store, b.sealer, subscriptions.Addresses{})
		for _, url := range []string{
			"", "shop.example", "http://shop.example/", "ftp://shop.example/", "https://", "https://user:pw@shop.example/", "https://shop.example/#a",
			"https:shop.example", "https://shop.example/" + strings.Repeat("a", conversation.MaxSubscriptionURL), "https://shop.example/%zz",
		} {
			_, _, err := public.Create(t.Context(), conversation.Subscription{URL: url, Types: conversation.NoticeTypes()})
			require.Equal(t, "URL_INVALID", fault.ReasonOf(err), url)
			require.NotContains(t, err.Error(), "shop.example")
		}
		_, _, err := public.Create(t.Context(), conversation.Subscription{URL: "https://shop.example/hooks", Types: conversation.NoticeTypes()})
		require.NoError(t, err)
	})

	t.Run("RefusesUnknownEventTypes", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, types := range [][]conversation.NoticeType{nil, {"message.sent"}} {
			_, _, err := b.service.Create(t.Context(), conversation.Subscription{URL: b.server.URL, Types: types})
			require.Equal(t, "EVENT_TYPES_INVALID", fault.ReasonOf(err))
		}
		for _, id := range []string{strings.Repeat("a", 257), "a\x00b"} {
			_, _, err := b.service.Create(t.Context(), conversation.Subscription{
				URL: b.server.URL, Types: conversation.NoticeTypes(), Integration: conversation.IntegrationID(id),
			})
			require.Equal(t, "INTEGRATION_INVALID", fault.ReasonOf(err))
		}
	})

	t.Run("WithoutAKeysetThereIsNone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s, _ := b.subscribe(conversation.NoticeReceived)
		without := subscriptions.NewService(b.store, nil, private)
		_, _, err := without.Create(t.Context(), conversation.Subscription{URL: b.server.URL, Types: conversation.NoticeTypes()})
		require.Equal(t, "KEYSET_MISSING", fault.ReasonOf(err))
		_, err = without.RotateSecret(t.Context(), s.ID)
		require.Equal(t, "KEYSET_MISSING", fault.ReasonOf(err))
	})

	t.Run("ThereAreNotMoreThanMayBe", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for range conversation.MaxSubscriptions {
			b.subscribe(conversation.NoticeReceived)
		}
		_, _, err := b.service.Create(t.Context(), conversation.Subscription{URL: b.server.URL, Types: conversation.NoticeTypes()})
		require.ErrorIs(t, err, conversation.ErrTooMany)
	})
}
