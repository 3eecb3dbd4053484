package ingest_test

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
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/platform/requestid"
	"github.com/knobot/knobot/platform/telemetry"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/courtesy"
	"github.com/knobot/knobot/services/conversation/internal/ingest"
	"github.com/knobot/knobot/services/conversation/internal/integrations"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
	"github.com/knobot/knobot/services/conversation/internal/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

const (
	number conversation.IntegrationID = "wa-1"
	bot    conversation.IntegrationID = "tg-1"
)

// shown keeps courtesies instead of showing them.
type shown struct {
	mu  sync.Mutex
	all []courtesy.Courtesy
}

func (s *shown) Offer(c courtesy.Courtesy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, c)
}

func (s *shown) kinds() []courtesy.Kind {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []courtesy.Kind
	for _, c := range s.all {
		out = append(out, c.Kind)
	}
	return out
}

type bundle struct {
	t      *testing.T
	pool   *pgxpool.Pool
	store  *postgres.Store
	table  *integrations.Table
	shown  *shown
	intake *ingest.Intake
	woken  atomic.Int64
	keys   atomic.Int64
}

func setup(t *testing.T, wrap ...func(ingest.Store) ingest.Store) *bundle {
	t.Helper()
	b := &bundle{t: t, pool: pgtest.Database(t, postgres.Schema()), table: integrations.NewTable(), shown: &shown{}}
	b.store = postgres.NewStore(b.pool, postgres.Settings{IdleAfter: 24 * time.Hour, LongestWait: 10 * time.Second})
	b.know()
	var store ingest.Store = b.store
	for _, w := range wrap {
		store = w(store)
	}
	b.intake = ingest.New(t.Context(), ingest.Config{
		Store: store, Integrations: b.table, Courtesies: b.shown, Wake: func() { b.woken.Add(1) },
		Metrics: metrics.New(prometheus.NewRegistry()), Log: zap.NewNop(), Settings: ingest.Settings{StaleAfter: 24 * time.Hour},
	})
	t.Cleanup(b.intake.Close)
	return b
}

// know replaces the table: the two integrations with these changes.
func (b *bundle) know(changes ...func(*conversation.Integration)) {
	all := map[conversation.IntegrationID]conversation.Integration{}
	for id, p := range map[conversation.IntegrationID]conversation.Platform{number: conversation.WhatsApp, bot: conversation.Telegram} {
		in := conversation.DefaultIntegration(id, p)
		for _, change := range changes {
			change(&in)
		}
		all[id] = in
	}
	b.table.Replace(all)
}

func (b *bundle) says(text string) conversation.Event {
	n := b.keys.Add(1)
	return conversation.Event{
		Key: fmt.Sprintf("msg:%d", n), Integration: number, Kind: "text", OccurTime: time.Now(),
		Content: &conversation.InboundMessage{
			MessageID: fmt.Sprintf("wamid.%d", n), Kind: conversation.KindText, Text: text, Addressed: true,
			Sender: conversation.Sender{PhoneNumber: "573001234567"}, Address: conversation.Address{PhoneNumber: "573001234567"},
		},
	}
}

func of(e conversation.Event, change func(*conversation.InboundMessage)) conversation.Event {
	change(e.Content.(*conversation.InboundMessage))
	return e
}

func (b *bundle) webhook(events ...conversation.Event) ingest.Webhook {
	return ingest.Webhook{
		Platform: conversation.WhatsApp, Payload: fmt.Appendf(nil, `{"n":%d}`, b.keys.Add(1)), Events: events, RemoteAddress: "203.0.113.7",
	}
}

func (b *bundle) receive(events ...conversation.Event) conversation.Receipt {
	b.t.Helper()
	r, err := b.intake.Ingest(b.t.Context(), b.webhook(events...))
	require.NoError(b.t, err)
	return r
}

func (b *bundle) count(query string) int {
	b.t.Helper()
	var n int
	require.NoError(b.t, b.pool.QueryRow(b.t.Context(), "select count(*) from "+query).Scan(&n))
	return n
}

func TestIntake(t *testing.T) {
	t.Parallel()

	t.Run("RefusesUntilTheIntegrationsAreKnown", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := ingest.New(t.Context(), ingest.Config{
			Store: b.store, Integrations: integrations.NewTable(), Courtesies: b.shown, Wake: func() {},
			Metrics: metrics.New(prometheus.NewRegistry()), Log: zap.NewNop(),
		})
		t.Cleanup(i.Close)
		_, err := i.Ingest(t.Context(), b.webhook(b.says("hola")))
		require.True(t, fault.IsKind(err, fault.Unavailable))
		require.Equal(t, "INTEGRATIONS_UNKNOWN", fault.ReasonOf(err))
	})

	t.Run("WakesWhoFetchesFilesThoughNothingIsAnswered", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		photo := of(b.says(""), func(m *conversation.InboundMessage) {
			m.Kind, m.Echo, m.Media = conversation.KindImage, true, &conversation.Media{ID: "f1"}
		})
		b.receive(photo)
		require.EqualValues(t, 1, b.woken.Load())
		b.receive(photo)
		require.EqualValues(t, 1, b.woken.Load(), "a repeat brings no file")
	})

	t.Run("WakesTheWorkersAndShowsThatItArrived", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("hola"))
		require.EqualValues(t, 1, b.woken.Load())
		require.Equal(t, []courtesy.Kind{courtesy.ReadTyping}, b.shown.kinds())
		require.Equal(t, "wamid.1", b.shown.all[0].Message)
	})

	t.Run("RepeatsShowNothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		e := b.says("hola")
		b.receive(e)
		require.True(t, b.receive(e).Duplicate)
		require.Len(t, b.shown.kinds(), 1)
		require.EqualValues(t, 1, b.woken.Load())
	})

	t.Run("OneCourtesyPerChatForItsLastMessage", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("uno"), b.says("dos"), of(b.says("❤️"), func(m *conversation.InboundMessage) { m.Kind = conversation.KindReaction }))
		require.Equal(t, []courtesy.Kind{courtesy.ReadTyping}, b.shown.kinds())
		require.Equal(t, "wamid.3", b.shown.all[0].Message)
	})

	t.Run("RecordedMessageIsMarkedReadWithoutTyping", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(of(b.says("❤️"), func(m *conversation.InboundMessage) { m.Kind = conversation.KindReaction }))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeRecorded}, r.Outcomes)
		require.Equal(t, []courtesy.Kind{courtesy.Read}, b.shown.kinds())
		require.Zero(t, b.woken.Load())
	})

	t.Run("PressIsEndedAndAnsweredAsItsLabel", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(conversation.Event{Key: "cb:1", Integration: bot, Kind: "callback_query", Content: &conversation.ButtonPress{
			CallbackID: "c1", Sender: conversation.Sender{UserID: "7"}, Address: &conversation.Address{Chat: &conversation.Chat{ID: 7}},
			ButtonID: "b1", Title: "Horario",
		}})
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, r.Outcomes)
		require.Equal(t, []courtesy.Kind{courtesy.Press, courtesy.Typing}, b.shown.kinds())
		require.Equal(t, 1, b.count("messages where text = 'Horario' and kind = 'button_reply'"))
	})

	t.Run("PressWithoutAPlaceToAnswerIsEndedAndRecorded", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(conversation.Event{Key: "cb:1", Integration: bot, Kind: "callback_query", Content: &conversation.ButtonPress{CallbackID: "c1"}})
		require.Equal(t, []conversation.Outcome{conversation.OutcomeRecorded}, r.Outcomes)
		require.Equal(t, []courtesy.Kind{courtesy.Press}, b.shown.kinds())
	})

	t.Run("DisabledAndDeletedIntegrationsAreIgnored", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, state := range []conversation.IntegrationState{conversation.Disabled, conversation.Deleted} {
			b.know(func(in *conversation.Integration) { in.State = state })
			r := b.receive(b.says("hola"))
			require.Equal(t, []conversation.Outcome{conversation.OutcomeIgnored}, r.Outcomes)
		}
		require.Zero(t, b.count("users"))
		require.Zero(t, b.count("turns"))
		require.Empty(t, b.shown.kinds())
		require.Equal(t, 2, b.count("webhook_logs"))
	})

	t.Run("StoppedIntegrationsMessagesAreStoredAndWait", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.know(func(in *conversation.Integration) { in.State = conversation.Stopped })
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, b.receive(b.says("hola")).Outcomes)
	})

	t.Run("ForeignNumbersAreRecordedAndDropped", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		e := b.says("hola")
		e.ForeignNumber, e.Integration = "1065", ""
		require.Equal(t, []conversation.Outcome{conversation.OutcomeForeignNumber, conversation.OutcomeOpen}, b.receive(e, b.says("hola")).Outcomes)
		require.Equal(t, 1, b.count("messages"))
	})

	t.Run("IntegrationsOwnSettingsWin", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		hour, minute := time.Hour, time.Minute
		b.know(func(in *conversation.Integration) { in.StaleAfter, in.Debounce = &hour, &minute })
		old := b.says("vieja")
		old.OccurTime = time.Now().Add(-2 * time.Hour)
		require.Equal(t, []conversation.Outcome{conversation.OutcomeStale}, b.receive(old).Outcomes)
		b.receive(b.says("hola"))
		require.Equal(t, 1, b.count("turns where due_at > now() + interval '5 seconds'"), "bounded by the longest wait")
	})

	t.Run("UnknownIntegrationIsTakenForAnOrdinaryOne", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		e := b.says("hola")
		e.Integration = "nueva"
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen}, b.receive(e).Outcomes)
	})

	t.Run("GroupTalkAndBotsLeaveOnlyTheLog", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		chat := func(m *conversation.InboundMessage) {
			m.Group, m.Addressed, m.Address = true, false, conversation.Address{Chat: &conversation.Chat{ID: -1}}
		}
		robot := of(b.says("bip"), func(m *conversation.InboundMessage) { m.Sender.Bot = true })
		r := b.receive(of(b.says("entre nosotros"), chat), robot)
		require.Equal(t, []conversation.Outcome{conversation.OutcomeRecorded, conversation.OutcomeRecorded}, r.Outcomes)
		require.Zero(t, b.count("messages"))
		require.Zero(t, b.count("users"))
	})

	t.Run("BadContentFailsAloneAndIsAcknowledged", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receive(b.says("antes"), b.says("nul\x00"), b.says("después"))
		require.Equal(t, []conversation.Outcome{conversation.OutcomeOpen, conversation.OutcomeFailed, conversation.OutcomeOpen}, r.Outcomes)
		l, err := b.store.Log(t.Context(), r.Log)
		require.NoError(t, err)
		require.Len(t, l.Events, 3)
		require.Equal(t, "refused by the database, SQLSTATE 22021", l.Events[1].Error)
		require.EqualValues(t, 200, l.ResponseStatus)
		require.Equal(t, 2, b.count("messages"))
		require.Equal(t, 1, b.count("webhook_logs"))
	})

	t.Run("BadWebhookHarmsNoOtherOfItsGroup", func(t *testing.T) {
		t.Parallel()
		gate := make(chan struct{})
		var entered, largest atomic.Int64
		b := setup(t, func(s ingest.Store) ingest.Store {
			return gated{Store: s, gate: gate, entered: &entered, largest: &largest}
		})
		var posts sync.WaitGroup
		outcomes := make(chan conversation.Outcome, 20)
		for i := range 20 {
			text := "bien"
			if i%5 == 0 {
				text = "nul\x00"
			}
			w := b.webhook(b.says(text))
			posts.Go(func() {
				r, err := b.intake.Ingest(context.Background(), w)
				if err == nil {
					outcomes <- r.Outcomes[0]
				}
			})
		}
		close(gate)
		posts.Wait()
		close(outcomes)
		count := map[conversation.Outcome]int{}
		for o := range outcomes {
			count[o]++
		}
		require.Equal(t, map[conversation.Outcome]int{conversation.OutcomeOpen: 16, conversation.OutcomeFailed: 4}, count)
		require.Equal(t, 20, b.count("webhook_logs"))
	})

	t.Run("ConcurrentWebhooksShareATransaction", func(t *testing.T) {
		t.Parallel()
		gate := make(chan struct{})
		var entered, largest atomic.Int64
		b := setup(t, func(s ingest.Store) ingest.Store {
			return gated{Store: s, gate: gate, entered: &entered, largest: &largest}
		})
		var posts sync.WaitGroup
		t.Cleanup(posts.Wait)
		post := func() {
			w := b.webhook(b.says("hola"))
			posts.Go(func() { _, _ = b.intake.Ingest(context.Background(), w) })
		}
		for n := range 2 { // one for each flusher, which then waits at the gate
			post()
			require.Eventually(t, func() bool { return entered.Load() == int64(n+1) }, 10*time.Second, time.Millisecond)
		}
		for range 38 {
			post()
		}
		require.Eventually(t, func() bool { return b.intake.Waiting() == 38 }, 10*time.Second, time.Millisecond)
		close(gate)
		posts.Wait()
		require.Equal(t, 40, b.count("messages"))
		require.GreaterOrEqual(t, largest.Load(), int64(19))
	})

	t.Run("OutageIsUnavailableForAll", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.pool.Close()
		_, err := b.intake.Ingest(t.Context(), b.webhook(b.says("hola")))
		require.True(t, fault.IsKind(err, fault.Unavailable), "%v", err)
		require.Empty(t, b.shown.kinds())
	})
}

// gated holds transactions up until the gate opens, and notes the largest group.
type gated struct {
	ingest.Store
	gate             chan struct{}
	entered, largest *atomic.Int64
}

func (g gated) Ingest(ctx context.Context, d []conversation.Delivery) ([]conversation.Receipt, error) {
	g.entered.Add(1)
	select {
	case <-g.gate:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for n := g.largest.Load(); int64(len(d)) > n && !g.largest.CompareAndSwap(n, int64(len(d))); n = g.largest.Load() {
	}
	return g.Store.Ingest(ctx, d)
}

func TestRejectionsAreCountedAndSampledOnceASecondPerAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := ingest.NewRejections(b.store, metrics.New(prometheus.NewRegistry()), zap.NewNop())
	forge := func(address string) {
		r.Record(conversation.Rejection{Platform: conversation.WhatsApp, RemoteAddress: address, Reason: conversation.Forged})
	}
	for range 1000 {
		forge("203.0.113.9")
	}
	forge("203.0.113.10")
	r.Flush(t.Context())
	r.Flush(t.Context())
	require.Equal(t, 2, b.count("webhook_logs where event_type = 'rejected' and payload_sha256 is null"))
	forge("203.0.113.9")
	r.Flush(t.Context())
	require.Equal(t, 3, b.count("webhook_logs"))
	counts, err := b.store.CountLogs(t.Context(), conversation.TimeRange{})
	require.NoError(t, err)
	require.EqualValues(t, 1002, counts[0].Rejected)
}

func TestRejectionsSurviveAnOutage(t *testing.T) {
	t.Parallel()
	store := &failingOnce{}
	r := ingest.NewRejections(store, metrics.New(prometheus.NewRegistry()), zap.NewNop())
	r.Record(conversation.Rejection{Platform: conversation.WhatsApp, Reason: conversation.Forged})
	r.Flush(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, r.Run(ctx), "what is left is stored at the end")
	require.EqualValues(t, 1, store.counted)
}

type failingOnce struct {
	calls   int
	counted int64
}

func (f *failingOnce) RecordRejections(_ context.Context, counts []conversation.RejectionCount, _ []conversation.Rejection) error {
	if f.calls++; f.calls == 1 {
		return context.DeadlineExceeded
	}
	f.counted += counts[0].Count
	return nil
}

// TestAWebhookIsOneLine is for who follows a question from its log line: every id that it goes by is there, and nothing that was said.
func TestAWebhookIsOneLine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	core, logs := observer.New(zapcore.DebugLevel)
	i := ingest.New(t.Context(), ingest.Config{
		Store: b.store, Integrations: b.table, Courtesies: b.shown, Wake: func() {},
		Metrics: metrics.New(prometheus.NewRegistry()), Log: zap.New(core), Settings: ingest.Settings{StaleAfter: 24 * time.Hour},
	})
	t.Cleanup(i.Close)
	ctx, span := telemetry.Begin(requestid.With(t.Context(), "R1"), sdktrace.NewTracerProvider(), "webhook")
	defer span.End()
	r, err := i.Ingest(ctx, b.webhook(b.says("a canary"), b.says("another canary")))
	require.NoError(t, err)

	require.Equal(t, 1, logs.Len())
	line := logs.All()[0].ContextMap()
	require.Equal(t, "R1", line["request_id"])
	require.Equal(t, span.SpanContext().TraceID().String(), line["trace_id"])
	require.Equal(t, []any{string(number)}, line["integrations"])
	require.Equal(t, []any{string(r.Conversations[0])}, line["conversations"], "two messages, one conversation")
	require.NotContains(t, fmt.Sprint(line), "canary")
	require.Equal(t, telemetry.Parent(ctx), b.shown.all[0].Trace, "the read receipt is a part of the webhook's trace")
	require.Equal(t, 2, b.count("messages where traceparent like '%"+span.SpanContext().SpanID().String()+"%'"))
}
