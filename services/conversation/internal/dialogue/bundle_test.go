package dialogue_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/answerer"
	"github.com/knobot/knobot/services/conversation/internal/answerer/ragtest"
	"github.com/knobot/knobot/services/conversation/internal/courtesy"
	"github.com/knobot/knobot/services/conversation/internal/dialogue"
	"github.com/knobot/knobot/services/conversation/internal/ingest"
	"github.com/knobot/knobot/services/conversation/internal/integrations"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
	"github.com/knobot/knobot/services/conversation/internal/postgres"
	"github.com/knobot/knobot/services/conversation/internal/sender"
	"github.com/knobot/knobot/services/conversation/internal/sender/channelstest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

const (
	number conversation.IntegrationID = "wa-1"
	bot    conversation.IntegrationID = "tg-1"

	patience = 20 * time.Second
	beat     = 5 * time.Millisecond
)

// bundle is the whole service without its RPC surface: real storage, real peers over the wire.
type bundle struct {
	t        *testing.T
	pool     *pgxpool.Pool
	store    *postgres.Store
	rag      *ragtest.Server
	channels *channelstest.Server
	table    *integrations.Table
	metrics  *metrics.Metrics
	keys     atomic.Int64
	worker   *dialogue.Worker
	intake   *ingest.Intake
	known    map[conversation.IntegrationID]conversation.Integration
}

func setup(t *testing.T, changes ...func(*dialogue.Config)) *bundle {
	t.Helper()
	pool := pgtest.Database(t, postgres.Schema())
	b := &bundle{
		t: t, pool: pool, rag: ragtest.New(t), channels: channelstest.New(t), table: integrations.NewTable(),
		store:   postgres.NewStore(pool, postgres.Settings{IdleAfter: 24 * time.Hour, LongestWait: 10 * time.Second}),
		metrics: metrics.New(prometheus.NewRegistry()),
		known: map[conversation.IntegrationID]conversation.Integration{
			number: conversation.DefaultIntegration(number, conversation.WhatsApp),
			bot:    conversation.DefaultIntegration(bot, conversation.Telegram),
		},
	}
	b.publish()
	b.worker = b.newWorker(changes...)
	courtesies := courtesy.NewQueue(t.Context(), sender.New(b.channels.Conn), b.metrics)
	t.Cleanup(courtesies.Close)
	b.intake = ingest.New(t.Context(), ingest.Config{
		Store: b.store, Integrations: b.table, Courtesies: courtesies, Wake: b.worker.Wake, Metrics: b.metrics, Log: zap.NewNop(),
		Settings: ingest.Settings{StaleAfter: 24 * time.Hour},
	})
	t.Cleanup(b.intake.Close)
	return b
}

func (b *bundle) newWorker(changes ...func(*dialogue.Config)) *dialogue.Worker {
	cfg := dialogue.Config{
		Mailbox: b.store, Answerer: answerer.New(b.rag.Conn, 10*time.Second), Courier: sender.New(b.channels.Conn),
		Files: sender.New(b.channels.Conn), Senses: answerer.NewSenses(b.rag.Conn), Integrations: b.table, Workers: 8, Lease: 10 * time.Second, Metrics: b.metrics, Log: zap.NewNop(),
	}
	for _, change := range changes {
		change(&cfg)
	}
	return dialogue.NewWorker(cfg)
}

// publish makes the table say what the test knows of the integrations.
func (b *bundle) publish() {
	all := map[conversation.IntegrationID]conversation.Integration{}
	for id, in := range b.known {
		all[id] = in
	}
	b.table.Replace(all)
}

func (b *bundle) set(id conversation.IntegrationID, change func(*conversation.Integration)) {
	in := b.known[id]
	change(&in)
	b.known[id] = in
	b.publish()
}

// run starts a worker and returns what stops it. It is stopped at the end of the test at the latest.
func (b *bundle) run(w *dialogue.Worker) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	b.t.Cleanup(stop)
	return stop
}

// says is a text of a WhatsApp customer.
func (b *bundle) says(phone, text string) conversation.Event {
	n := b.keys.Add(1)
	return conversation.Event{
		Key: fmt.Sprintf("msg:wamid.%d", n), Integration: number, Kind: "text", OccurTime: time.Now(),
		Content: &conversation.InboundMessage{
			MessageID: fmt.Sprintf("wamid.%d", n), Kind: conversation.KindText, Text: text, Addressed: true,
			Sender:  conversation.Sender{PhoneNumber: phone, LanguageCode: "es"},
			Address: conversation.Address{PhoneNumber: phone},
		},
	}
}

// telegram is a text in a Telegram chat.
func (b *bundle) telegram(chat int64, text string) conversation.Event {
	e := b.says("", text)
	m := e.Content.(*conversation.InboundMessage)
	e.Integration = bot
	m.Sender = conversation.Sender{UserID: fmt.Sprint(chat), LanguageCode: "es"}
	m.Address = conversation.Address{Chat: &conversation.Chat{ID: chat}}
	return e
}

// of changes the message of an event.
func of(e conversation.Event, change func(*conversation.InboundMessage)) conversation.Event {
	change(e.Content.(*conversation.InboundMessage))
	return e
}

func (b *bundle) receive(events ...conversation.Event) conversation.Receipt {
	b.t.Helper()
	p := conversation.WhatsApp
	if events[0].Integration == bot {
		p = conversation.Telegram
	}
	r, err := b.intake.Ingest(b.t.Context(), ingest.Webhook{
		Platform: p, Payload: fmt.Appendf(nil, `{"n":%d}`, b.keys.Add(1)), Events: events, RemoteAddress: "203.0.113.7",
	})
	require.NoError(b.t, err)
	return r
}

func (b *bundle) exec(query string, args ...any) {
	b.t.Helper()
	_, err := b.pool.Exec(context.Background(), query, args...)
	require.NoError(b.t, err)
}

func (b *bundle) count(query string, args ...any) int {
	b.t.Helper()
	var n int
	require.NoError(b.t, b.pool.QueryRow(context.Background(), "select count(*) from "+query, args...).Scan(&n))
	return n
}

// eventually waits for something to become true.
func (b *bundle) eventually(ok func() bool, what string) {
	b.t.Helper()
	require.Eventually(b.t, ok, patience, beat, what)
}

// quiet waits until no turn is left.
func (b *bundle) quiet() {
	b.t.Helper()
	b.eventually(func() bool { return b.count("turns") == 0 }, "turns are left")
}

// outcome waits until the first event of a delivery has the outcome.
func (b *bundle) outcome(r conversation.Receipt, want conversation.Outcome) conversation.LoggedEvent {
	b.t.Helper()
	var e conversation.LoggedEvent
	b.eventually(func() bool {
		l, err := b.store.Log(context.Background(), r.Log)
		require.NoError(b.t, err)
		e = l.Events[0]
		return e.Outcome == want
	}, "outcome "+string(want))
	return e
}

// hurry makes turns due that wait for a backoff.
func (b *bundle) hurry() {
	b.exec(`update turns set due_at = now() where due_at > now()`)
	b.worker.Wake()
}
