package subscriptions_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
	"github.com/knobot/knobot/services/conversation/internal/subscriptions"
)

func TestNotifier(t *testing.T) {
	t.Parallel()

	t.Run("TellsWhatTheLibraryOfStandardWebhooksVerifies", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, secret := b.subscribe(conversation.NoticeReceived)
		b.run()
		b.writes("¿Abren?")
		b.eventually(func() bool {
			return b.count("subscription_deliveries where state = 'delivered' and response_status = 204") == 1
		}, "the delivery")
		got := b.deliveries()
		require.Len(t, got, 1)
		w, err := standardwebhooks.NewWebhook(secret)
		require.NoError(t, err)
		require.NoError(t, w.Verify(got[0].body, got[0].header))
		require.Error(t, w.Verify(append(got[0].body, ' '), got[0].header))
		require.Equal(t, "application/json", got[0].header.Get("Content-Type"))
		var p struct {
			Type, Version string
			Timestamp     time.Time
			Data          struct {
				IntegrationID  string `json:"integration_id"`
				Platform       string
				ConversationID string `json:"conversation_id"`
				UserID         string `json:"user_id"`
				Message        struct{ ID, Role, Kind, Text, State string }
			}
		}
		require.NoError(t, json.Unmarshal(got[0].body, &p))
		require.Equal(t, []string{"message.received", "1", "wa-1", "whatsapp"}, []string{p.Type, p.Version, p.Data.IntegrationID, p.Data.Platform})
		require.Equal(t, []string{"customer", "text", "¿Abren?", "open"},
			[]string{p.Data.Message.Role, p.Data.Message.Kind, p.Data.Message.Text, p.Data.Message.State})
		for _, id := range []string{p.Data.ConversationID, p.Data.UserID, p.Data.Message.ID} {
			require.NoError(t, uuid.Validate(id))
		}
		require.WithinDuration(t, time.Now(), p.Timestamp, time.Minute)
		require.InDelta(t, 1, b.counted("delivered"), 0)
	})

	t.Run("FailureIsTriedAgainUnderTheSameIdUntilItIsDead", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.answers(status(http.StatusInternalServerError))
		s, _ := b.subscribe(conversation.NoticeReceived)
		b.run()
		b.writes("hola")
		b.eventually(func() bool {
			b.exec(`update subscription_deliveries set due_at = now() where state = 'pending' and lease_token is null`)
			return b.count("subscription_deliveries where state = 'dead'") == 1
		}, "the last try")
		got := b.deliveries()
		require.Len(t, got, conversation.MaxNoticeTries)
		for _, d := range got {
			require.Equal(t, got[0].id, d.id)
		}
		require.InDelta(t, conversation.MaxNoticeTries-1, b.counted("failed"), 0)
		require.InDelta(t, 1, b.counted("dead"), 0)
		dead, err := b.store.Notices(t.Context(), conversation.NoticeFilter{Subscription: s.ID, DeadOnly: true, Limit: 10})
		require.NoError(t, err)
		require.Len(t, dead, 1)
		require.Equal(t, "STATUS_500", dead[0].Error)
		for _, e := range b.logs.All() {
			require.NotContains(t, fmt.Sprint(e.Message, e.ContextMap()), "canary", "the address may hold a token")
		}

		b.answers(status(http.StatusOK))
		_, err = b.store.RetryNotice(t.Context(), s.ID, dead[0].ID)
		require.NoError(t, err)
		b.eventually(func() bool { return b.count("subscription_deliveries where state = 'delivered'") == 1 }, "the retry")
	})

	t.Run("SubscriberMayPutItOff", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		b.subscribe(conversation.NoticeReceived)
		b.run()
		b.writes("hola")
		b.eventually(func() bool {
			return b.count("subscription_deliveries where due_at > now() + interval '59 minutes' and last_error = 'STATUS_503'") == 1
		}, "the pause")
	})

	t.Run("RedirectIsAFailureAndNotFollowed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.answers(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		})
		b.subscribe(conversation.NoticeReceived)
		b.run()
		b.writes("hola")
		b.eventually(func() bool { return b.count("subscription_deliveries where last_error = 'STATUS_307'") == 1 }, "the failure")
		require.Len(t, b.deliveries(), 1)
	})

	t.Run("WhoIsGoneIsToldNoMore", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.answers(status(http.StatusGone))
		s, _ := b.subscribe(conversation.NoticeReceived)
		b.run()
		b.writes("hola")
		b.eventually(func() bool { return b.count("subscriptions where not enabled") == 1 }, "the end of the subscription")
		now, err := b.store.Subscription(t.Context(), s.ID)
		require.NoError(t, err)
		require.Equal(t, "GONE", now.DisabledCause)
		b.writes("otra")
		require.Equal(t, 1, b.count("subscription_deliveries"), "what happens meanwhile is not told")
		on := true
		again, err := b.service.Update(t.Context(), s.ID, conversation.SubscriptionChange{Enabled: &on})
		require.NoError(t, err)
		require.True(t, again.Enabled)
		require.Empty(t, again.DisabledCause)
	})

	t.Run("SecretBeforeGoesOnSigningForADay", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s, before := b.subscribe(conversation.NoticeReceived)
		now, err := b.service.RotateSecret(t.Context(), s.ID)
		require.NoError(t, err)
		require.NotEqual(t, before, now)
		b.run()
		b.writes("hola")
		b.eventually(func() bool { return len(b.deliveries()) == 1 }, "the delivery")
		for _, secret := range []string{before, now} {
			b.requireSigned(b.deliveries()[0], secret)
		}
		b.exec(`update subscriptions set former_until = now()`)
		b.writes("otra")
		b.eventually(func() bool { return len(b.deliveries()) == 2 }, "the delivery")
		w, err := standardwebhooks.NewWebhook(before)
		require.NoError(t, err)
		require.ErrorIs(t, w.Verify(b.deliveries()[1].body, b.deliveries()[1].header), standardwebhooks.ErrNoMatchingSignature)
	})

	t.Run("CrashInATryTellsItAgain", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.subscribe(conversation.NoticeReceived)
		b.writes("hola")
		lost, err := b.store.ClaimNotices(t.Context(), nil, 4, 16, time.Minute)
		require.NoError(t, err)
		require.Len(t, lost, 1)
		b.exec(`update subscription_deliveries set lease_until = now() - interval '1 second'`)
		b.run()
		b.eventually(func() bool { return b.count("subscription_deliveries where state = 'delivered' and failures = 1") == 1 }, "the delivery")
		require.ErrorIs(t, b.store.NoticeDelivered(t.Context(), lost[0], 200), conversation.ErrLeaseLost)
	})

	t.Run("OneThatHangsKeepsNoOtherWaiting", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		hang := make(chan struct{})
		b.answers(func(_ http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/hang") {
				<-hang
			}
		})
		_, _, err := b.service.Create(t.Context(), conversation.Subscription{URL: b.server.URL + "/hang", Types: conversation.NoticeTypes(), Enabled: true})
		require.NoError(t, err)
		for range 40 {
			b.writes("hola")
		}
		s, _ := b.subscribe(conversation.NoticeReceived)
		b.run()
		b.eventually(func() bool { return len(b.deliveries()) == 4 }, "all that may hang at once")
		b.writes("otra")
		b.eventually(func() bool {
			return b.count("subscription_deliveries where state = 'delivered' and subscription_id = '"+string(s.ID)+"'") == 1
		}, "the other one's")
		require.Len(t, b.deliveries(), 5)
		close(hang)
	})

	t.Run("WhatWasErasedMeanwhileIsNotTold", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.subscribe(conversation.NoticeReceived)
		b.writes("hola")
		b.exec(`delete from turns`)
		b.exec(`delete from messages`)
		b.run()
		b.eventually(func() bool { return b.count("subscription_deliveries") == 0 }, "the end of it")
		require.Empty(t, b.deliveries())
	})

	t.Run("PayloadIsNeverLargerThanTheSpecificationWants", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.subscribe(conversation.NoticeReceived)
		b.run()
		b.writes(strings.Repeat("\u0001", 7000))
		b.writes(strings.Repeat("ñ", 9000))
		b.eventually(func() bool { return len(b.deliveries()) == 2 }, "the deliveries")
		for _, d := range b.deliveries() {
			require.LessOrEqual(t, len(d.body), 20_000)
			require.Contains(t, string(d.body), `"text_truncated":true`)
			require.True(t, json.Valid(d.body))
		}
	})

	t.Run("PrivateAddressIsRefusedWhenDialled", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.server = httptest.NewTLSServer(b)
		t.Cleanup(b.server.Close)
		b.subscribe(conversation.NoticeReceived)
		b.writes("hola")
		n := subscriptions.NewNotifier(b.store, b.sealer, subscriptions.Addresses{}, metrics.New(b.registry), b.log)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { _ = n.Run(ctx) }()
		b.eventually(func() bool { return b.count("subscription_deliveries where last_error = 'ADDRESS_FORBIDDEN'") == 1 }, "the refusal")
		require.Empty(t, b.deliveries())
	})

	t.Run("StrangersCertificateIsRefused", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.server = httptest.NewTLSServer(b)
		t.Cleanup(b.server.Close)
		b.subscribe(conversation.NoticeReceived)
		b.run()
		b.writes("hola")
		b.eventually(func() bool { return b.count("subscription_deliveries where last_error = 'CERTIFICATE_INVALID'") == 1 }, "the refusal")
	})

	t.Run("StopHandsBackWhatIsUnderWay", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		hang := make(chan struct{})
		b.answers(func(http.ResponseWriter, *http.Request) { <-hang })
		b.subscribe(conversation.NoticeReceived)
		stop := b.run()
		b.writes("hola")
		b.eventually(func() bool { return len(b.deliveries()) == 1 }, "the try")
		stop()
		close(hang)
		require.Equal(t, 1, b.count("subscription_deliveries where state = 'pending' and failures = 0 and lease_token is null"))
	})
}
