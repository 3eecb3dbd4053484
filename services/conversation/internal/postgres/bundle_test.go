package postgres_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

const (
	number conversation.IntegrationID = "wa-1"
	bot    conversation.IntegrationID = "tg-1"
	lease                             = time.Minute
)

// bundle is a store on a database of its own, and hands to write with.
type bundle struct {
	t     *testing.T
	pool  *pgxpool.Pool
	store *postgres.Store
	keys  atomic.Int64
}

func setup(t *testing.T) *bundle {
	t.Helper()
	pool := pgtest.Database(t, postgres.Schema())
	store := postgres.NewStore(pool, postgres.Settings{IdleAfter: 24 * time.Hour, LongestWait: 10 * time.Second})
	return &bundle{t: t, pool: pool, store: store}
}

// arrival changes a message before it is ingested.
type arrival func(*conversation.Arrival)

func from(userID, phone string) arrival {
	return func(a *conversation.Arrival) {
		a.Message.Sender.UserID, a.Message.Sender.PhoneNumber = userID, phone
		a.Message.Address = conversation.Address{UserID: userID, PhoneNumber: phone}
	}
}

func named(name string) arrival {
	return func(a *conversation.Arrival) { a.Message.Sender.DisplayName = name }
}

func keyed(key string) arrival { return func(a *conversation.Arrival) { a.Key = key } }

func at(when time.Time) arrival { return func(a *conversation.Arrival) { a.OccurTime = when } }

func debounced(d time.Duration) arrival { return func(a *conversation.Arrival) { a.Debounce = d } }

func recorded(a *conversation.Arrival) { a.Plan.Answer = false }

func of(id conversation.IntegrationID) arrival {
	return func(a *conversation.Arrival) {
		a.Event.Integration, a.Integration.ID = id, id
	}
}

// telegram makes the message one of a Telegram chat.
func telegram(userID, username string, chat conversation.Chat, group bool) arrival {
	return func(a *conversation.Arrival) {
		a.Event.Integration = bot
		a.Integration = conversation.DefaultIntegration(bot, conversation.Telegram)
		a.Message.Sender = conversation.Sender{UserID: userID, Username: username}
		a.Message.Address, a.Message.Group = conversation.Address{Chat: &chat}, group
	}
}

// says is a question of a WhatsApp customer.
func (b *bundle) says(text string, changes ...arrival) conversation.Arrival {
	n := b.keys.Add(1)
	a := conversation.Arrival{
		Event: conversation.Event{
			Key: fmt.Sprintf("msg:wamid.%d", n), Integration: number, Kind: "text", OccurTime: time.Now(),
		},
		Integration: conversation.DefaultIntegration(number, conversation.WhatsApp),
		Plan:        conversation.Plan{Answer: true, Text: text, Language: "es"},
		StaleAfter:  24 * time.Hour,
		Message: &conversation.InboundMessage{
			MessageID: fmt.Sprintf("wamid.%d", n), Kind: conversation.KindText, Text: text, Addressed: true,
			Sender:  conversation.Sender{UserID: "CO.ana", PhoneNumber: "573001234567"},
			Address: conversation.Address{UserID: "CO.ana", PhoneNumber: "573001234567"},
		},
	}
	for _, change := range changes {
		change(&a)
	}
	return a
}

// reports is an event that is no message.
func (b *bundle) event(kind string, content conversation.Content) conversation.Arrival {
	return conversation.Arrival{
		Event: conversation.Event{
			Key: fmt.Sprintf("%s:%d", kind, b.keys.Add(1)), Integration: number, Kind: kind, Content: content,
		},
		Integration: conversation.DefaultIntegration(number, conversation.WhatsApp),
	}
}

// webhook wraps arrivals as a delivery with a body of its own.
func (b *bundle) webhook(arrivals ...conversation.Arrival) conversation.Delivery {
	d := conversation.Delivery{
		Log: conversation.LogID(uuid.Must(uuid.NewV7()).String()), Platform: conversation.WhatsApp, RemoteAddress: "203.0.113.7",
		Payload: fmt.Appendf(nil, `{"entry":%d}`, b.keys.Add(1)), Arrivals: arrivals,
	}
	for i := range d.Arrivals {
		d.Arrivals[i].Ordinal = int32(i)
	}
	return d
}

// receive ingests arrivals as one webhook.
func (b *bundle) receive(arrivals ...conversation.Arrival) conversation.Receipt {
	b.t.Helper()
	receipts, err := b.store.Ingest(b.t.Context(), []conversation.Delivery{b.webhook(arrivals...)})
	require.NoError(b.t, err)
	return receipts[0]
}

// claim claims up to limit turns of both integrations.
func (b *bundle) claim(limit int) []conversation.Turn {
	b.t.Helper()
	turns, err := b.store.Claim(b.t.Context(), conversation.ClaimRequest{
		Lease: lease, Limit: limit, Rooms: []conversation.Room{{Integration: number, Free: limit}, {Integration: bot, Free: limit}},
	})
	require.NoError(b.t, err)
	return turns
}

// claimOne claims the one turn that is due.
func (b *bundle) claimOne() conversation.Turn {
	b.t.Helper()
	turns := b.claim(10)
	require.Len(b.t, turns, 1)
	return turns[0]
}

// draft is an answer to everything that the turn knows of.
func draft(t conversation.Turn, text string) conversation.Draft {
	return conversation.Draft{Text: text, Seen: t.Seq, Through: t.Seq}
}

func (b *bundle) checkpoint(t conversation.Turn, text string) conversation.Answer {
	b.t.Helper()
	a, err := b.store.Checkpoint(b.t.Context(), t, draft(t, text))
	require.NoError(b.t, err)
	return a
}

func (b *bundle) finish(t conversation.Turn, a conversation.Answer) {
	b.t.Helper()
	require.NoError(b.t, b.store.Finish(b.t.Context(), t, a, conversation.Sent{
		PlatformMessageID: "wamid.ours", State: conversation.DeliverySent,
	}))
}

// answer takes the one due turn all the way.
func (b *bundle) answer(text string) conversation.Answer {
	b.t.Helper()
	t := b.claimOne()
	a := b.checkpoint(t, text)
	b.finish(t, a)
	return a
}

// count returns the number of rows that a condition holds for.
func (b *bundle) count(query string, args ...any) int {
	b.t.Helper()
	var n int
	require.NoError(b.t, b.pool.QueryRow(b.t.Context(), "select count(*) from "+query, args...).Scan(&n))
	return n
}

func (b *bundle) exec(query string, args ...any) {
	b.t.Helper()
	_, err := b.pool.Exec(b.t.Context(), query, args...)
	require.NoError(b.t, err)
}

func (b *bundle) outcomes(log conversation.LogID) []conversation.Outcome {
	b.t.Helper()
	l, err := b.store.Log(b.t.Context(), log)
	require.NoError(b.t, err)
	var out []conversation.Outcome
	for _, e := range l.Events {
		out = append(out, e.Outcome)
	}
	return out
}

func (b *bundle) messages(id conversation.ID) []conversation.Message {
	b.t.Helper()
	out, err := b.store.Messages(b.t.Context(), id, 0, 1000)
	require.NoError(b.t, err)
	return out
}

// crash makes a lease look as if its worker had died.
func (b *bundle) crash(t conversation.Turn) {
	b.t.Helper()
	b.exec(`update turns set lease_until = now() - interval '1 second' where conversation_id = $1`, string(t.Conversation))
}

// due makes every turn due now.
func (b *bundle) due() {
	b.t.Helper()
	b.exec(`update turns set due_at = now()`)
}
