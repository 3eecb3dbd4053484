package subscriptions_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
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
	b.service = b.with(sealer)
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

// with is the service with another keyset.
func (b *bundle) with(s *sealing.Sealer) *subscriptions.Service {
	return subscriptions.NewService(b.store, s, private)
}

// requireSigned verifies a delivery as a subscriber does.
func (b *bundle) requireSigned(d delivery, secret string) {
	b.t.Helper()
	w, err := standardwebhooks.NewWebhook(secret)
	require.NoError(b.t, err)
	require.NoError(b.t, w.Verify(d.body, d.header))
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
