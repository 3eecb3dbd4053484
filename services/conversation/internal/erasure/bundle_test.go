package erasure_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/answerer"
	"github.com/knobot/knobot/services/conversation/internal/answerer/ragtest"
	"github.com/knobot/knobot/services/conversation/internal/erasure"
	"github.com/knobot/knobot/services/conversation/internal/postgres"
	"github.com/knobot/knobot/services/conversation/internal/sender"
	"github.com/knobot/knobot/services/conversation/internal/sender/channelstest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

const (
	number conversation.IntegrationID = "0a000000-0000-4000-8000-000000000001"
	bot    conversation.IntegrationID = "0a000000-0000-4000-8000-000000000002"

	patience = 20 * time.Second
	beat     = 5 * time.Millisecond
)

// bundle is real storage and real peers over the wire.
type bundle struct {
	t        *testing.T
	pool     *pgxpool.Pool
	store    *postgres.Store
	channels *channelstest.Server
	rag      *ragtest.Server
	n        int
}

func setup(t *testing.T) *bundle {
	t.Helper()
	pool := pgtest.Database(t, postgres.Schema())
	return &bundle{
		t: t, pool: pool, channels: channelstest.New(t), rag: ragtest.New(t),
		store: postgres.NewStore(pool, postgres.Settings{IdleAfter: 24 * time.Hour, LongestWait: 10 * time.Second}),
	}
}

// run starts an eraser and returns what stops it.
func (b *bundle) run() (e *erasure.Eraser, stop func()) {
	e = erasure.NewEraser(b.store, sender.New(b.channels.Conn), answerer.New(b.rag.Conn, time.Second), zap.NewNop())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = e.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	b.t.Cleanup(stop)
	return e, stop
}

// person writes in a chat; in one of their own unless another is given.
type person struct {
	id, phone, name, username string
	group                     int64
}

// says is a message with the payload that it came in.
func (b *bundle) says(p person, text string, change ...func(*conversation.Arrival)) (conversation.Arrival, string) {
	b.n++
	id := fmt.Sprintf("wamid.%s.%d", p.id, b.n)
	in, address := conversation.DefaultIntegration(number, conversation.WhatsApp), conversation.Address{UserID: p.id, PhoneNumber: p.phone}
	payload := fmt.Sprintf(`{"from":%q,"id":%q,"text":{"body":%q},"name":%q}`, p.phone, id, text, p.name)
	if p.phone == "" {
		chat := p.group
		if chat == 0 {
			_, _ = fmt.Sscan(p.id, &chat)
		}
		id = fmt.Sprint(b.n)
		in, address = conversation.DefaultIntegration(bot, conversation.Telegram), conversation.Address{Chat: &conversation.Chat{ID: chat}}
		payload = fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"from":{"id":%s,"first_name":%q,"username":%q},"chat":{"id":%d},"text":%q}}`,
			b.n, b.n, p.id, p.name, p.username, chat, text)
	}
	a := conversation.Arrival{
		Event:       conversation.Event{Key: "msg:" + id, Integration: in.ID, Kind: "text", OccurTime: time.Now()},
		Integration: in, Plan: conversation.Plan{Answer: true, Text: text, Language: "es"}, StaleAfter: time.Hour,
		Message: &conversation.InboundMessage{
			MessageID: id, Kind: conversation.KindText, Text: text, Addressed: true, Address: address, Group: p.group != 0,
			Sender: conversation.Sender{UserID: p.id, PhoneNumber: p.phone, DisplayName: p.name, Username: p.username},
		},
	}
	for _, c := range change {
		c(&a)
	}
	return a, payload
}

// receive ingests messages as one webhook.
func (b *bundle) receive(payload string, arrivals ...conversation.Arrival) conversation.LogID {
	b.t.Helper()
	d := conversation.Delivery{
		Log: conversation.LogID(uuid.Must(uuid.NewV7()).String()), Platform: arrivals[0].Integration.Platform, RemoteAddress: "203.0.113.7",
		Payload: []byte(payload), Arrivals: arrivals,
	}
	for i := range d.Arrivals {
		d.Arrivals[i].Ordinal = int32(i)
	}
	_, err := b.store.Ingest(b.t.Context(), []conversation.Delivery{d})
	require.NoError(b.t, err)
	return d.Log
}

func (b *bundle) hear(p person, text string, change ...func(*conversation.Arrival)) conversation.LogID {
	b.t.Helper()
	a, payload := b.says(p, text, change...)
	return b.receive(payload, a)
}

// claim takes the turns that are due.
func (b *bundle) claim() []conversation.Turn {
	b.t.Helper()
	turns, err := b.store.Claim(b.t.Context(), conversation.ClaimRequest{
		Lease: time.Minute, Limit: 10, Rooms: []conversation.Room{{Integration: number, Free: 10}, {Integration: bot, Free: 10}},
	})
	require.NoError(b.t, err)
	return turns
}

// answer answers all that waits.
func (b *bundle) answer(text string) {
	b.t.Helper()
	for _, t := range b.claim() {
		a, err := b.store.Checkpoint(b.t.Context(), t, conversation.Draft{Text: text, Seen: t.Seq, Through: t.Seq, Basis: &conversation.Basis{Outcome: "answered"}})
		require.NoError(b.t, err)
		require.NoError(b.t, b.store.Finish(b.t.Context(), t, a, conversation.Sent{PlatformMessageID: "wamid.ours" + string(a.ID), Parts: []string{"part" + string(a.ID)}}))
	}
}

// user returns the one user with a name.
func (b *bundle) user(name string) conversation.UserID {
	b.t.Helper()
	var id conversation.UserID
	require.NoError(b.t, b.pool.QueryRow(b.t.Context(), `select id from users where display_name = $1`, name).Scan(&id))
	return id
}

func (b *bundle) erase(id conversation.UserID) {
	b.t.Helper()
	_, err := b.store.EraseUser(b.t.Context(), id)
	require.NoError(b.t, err)
}

// done waits until an erasure is over.
func (b *bundle) done(id conversation.UserID) conversation.Erasure {
	b.t.Helper()
	var e conversation.Erasure
	require.Eventually(b.t, func() bool {
		var err error
		e, err = b.store.Erasure(context.Background(), id)
		return err == nil && e.DoneTime != nil
	}, patience, beat)
	return e
}

func (b *bundle) count(query string, args ...any) int {
	b.t.Helper()
	var n int
	require.NoError(b.t, b.pool.QueryRow(context.Background(), "select count(*) from "+query, args...).Scan(&n))
	return n
}

func (b *bundle) exec(query string, args ...any) {
	b.t.Helper()
	_, err := b.pool.Exec(context.Background(), query, args...)
	require.NoError(b.t, err)
}

// dump is every row of the whole schema as text, the bytes of payloads too.
func (b *bundle) dump() string {
	b.t.Helper()
	rows, err := b.pool.Query(b.t.Context(), `select table_name::text from information_schema.tables where table_schema = current_schema()`)
	require.NoError(b.t, err)
	var tables []string
	for rows.Next() {
		var name string
		require.NoError(b.t, rows.Scan(&name))
		tables = append(tables, name)
	}
	require.NoError(b.t, rows.Err())
	require.Contains(b.t, tables, "messages")
	var all strings.Builder
	for _, table := range tables {
		var text string
		require.NoError(b.t, b.pool.QueryRow(b.t.Context(), `select coalesce(string_agg(x::text, e'\n'), '') from `+table+` x`).Scan(&text))
		all.WriteString(table + ":\n" + text + "\n")
	}
	var bodies string
	require.NoError(b.t, b.pool.QueryRow(b.t.Context(), `select coalesce(string_agg(encode(body, 'escape'), e'\n'), '') from webhook_payloads`).Scan(&bodies))
	return all.String() + bodies
}
