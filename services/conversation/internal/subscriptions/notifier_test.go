package subscriptions_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
	"github.com/knobot/knobot/services/conversation/internal/postgres"
	"github.com/knobot/knobot/services/conversation/internal/subscriptions"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

const (
	number   conversation.IntegrationID = "wa-1"
	patience                            = 20 * time.Second
	beat                                = 5 * time.Millisecond
)

// delivery is a webhook that the subscriber got.
type delivery struct {
	id     string
	body   []byte
	header http.Header
}

// bundle is the notifier over real storage, with a subscriber on the wire.
type bundle struct {
	t        *testing.T
	pool     *pgxpool.Pool
	store    *postgres.Store
	service  *subscriptions.Service
	sealer   *sealing.Sealer
	registry *prometheus.Registry
	logs     *observer.ObservedLogs
	log      *zap.Logger
	server   *httptest.Server
	n        int

	mu     sync.Mutex
	got    []delivery
	answer http.HandlerFunc
}

var private = subscriptions.Addresses{AllowPrivate: true}

func setup(t *testing.T) *bundle {
	t.Helper()
	keyset, err := sealing.NewKeyset()
	require.NoError(t, err)
	sealer, err := sealing.New(keyset)
	require.NoError(t, err)
	core, logs := observer.New(zapcore.DebugLevel)
	pool := pgtest.Database(t, postgres.Schema())
	b := &bundle{
		t: t, pool: pool, sealer: sealer, registry: prometheus.NewRegistry(), logs: logs, log: zap.New(core),
		store:  postgres.NewStore(pool, postgres.Settings{IdleAfter: 24 * time.Hour, LongestWait: 10 * time.Second}),
		answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
	}
	b.service = subscriptions.NewService(b.store, sealer, private)
	b.server = httptest.NewServer(b)
	t.Cleanup(b.server.Close)
	return b
}

// ServeHTTP keeps what comes and answers as the test says.
func (b *bundle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	b.got = append(b.got, delivery{id: r.Header.Get("webhook-id"), body: body, header: r.Header.Clone()})
	answer := b.answer
	b.mu.Unlock()
	answer(w, r)
}

func (b *bundle) answers(f http.HandlerFunc) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = f
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func (b *bundle) deliveries() []delivery {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]delivery(nil), b.got...)
}

func (b *bundle) subscribe(types ...conversation.NoticeType) (conversation.Subscription, string) {
	b.t.Helper()
	s, secret, err := b.service.Create(b.t.Context(), conversation.Subscription{URL: b.server.URL + "/hooks?token=canary", Types: types, Enabled: true})
	require.NoError(b.t, err)
	return s, secret
}

// run starts a notifier and returns what stops it. It is stopped at the end of the test at the latest.
func (b *bundle) run() (stop func()) {
	n := subscriptions.NewNotifier(b.store, b.sealer, private, metrics.New(b.registry), b.log)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = n.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	b.t.Cleanup(stop)
	return stop
}

// writes is a message of a customer that comes in.
func (b *bundle) writes(text string) conversation.Receipt {
	b.t.Helper()
	b.n++
	receipts, err := b.store.Ingest(b.t.Context(), []conversation.Delivery{{
		Log: conversation.LogID(uuid.Must(uuid.NewV7()).String()), Platform: conversation.WhatsApp, Payload: fmt.Append(nil, b.n),
		Arrivals: []conversation.Arrival{{
			Event:       conversation.Event{Key: fmt.Sprintf("msg:%d", b.n), Integration: number, Kind: "text", OccurTime: time.Now()},
			Integration: conversation.DefaultIntegration(number, conversation.WhatsApp),
			Plan:        conversation.Plan{Answer: true, Text: text}, StaleAfter: 24 * time.Hour,
			Message: &conversation.InboundMessage{
				MessageID: fmt.Sprintf("wamid.%d", b.n), Kind: conversation.KindText, Text: text, Addressed: true,
				Sender:  conversation.Sender{PhoneNumber: "573001234567"},
				Address: conversation.Address{PhoneNumber: "573001234567"},
			},
		}},
	}})
	require.NoError(b.t, err)
	return receipts[0]
}

func (b *bundle) eventually(ok func() bool, what string) {
	b.t.Helper()
	require.Eventually(b.t, ok, patience, beat, what)
}

func (b *bundle) count(query string) int {
	b.t.Helper()
	var n int
	require.NoError(b.t, b.pool.QueryRow(context.Background(), "select count(*) from "+query).Scan(&n))
	return n
}

func (b *bundle) exec(query string) {
	b.t.Helper()
	_, err := b.pool.Exec(context.Background(), query)
	require.NoError(b.t, err)
}

// counted returns how often a result of a try was counted.
func (b *bundle) counted(result string) float64 {
	b.t.Helper()
	families, err := b.registry.Gather()
	require.NoError(b.t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "knobot_conversation_notices_total" && m.GetLabel()[0].GetValue() == result {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

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
			w, err := standardwebhooks.NewWebhook(secret)
			require.NoError(t, err)
			require.NoError(t, w.Verify(b.deliveries()[0].body, b.deliveries()[0].header))
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
