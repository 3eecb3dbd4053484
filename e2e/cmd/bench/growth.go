package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/e2e/internal/system"
)

const (
	// grownConversations and grownWaiting are what a company has after years: conversations, and turns that wait for later.
	grownConversations = 100_000
	grownWaiting       = 10_000
	growthConnections  = 16
)

// benchGrowth compares acknowledging and answering on an empty database with the same on one that has been used for long.
func benchGrowth(ctx context.Context, o options, stores *system.Stores) error {
	g := growth{options: o, stores: stores, database: "bench_growth"}
	fmt.Printf("\nGrowth: the same on an empty database and with %d stored webhooks, %d conversations and %d waiting turns\n",
		o.grown, grownConversations, grownWaiting)
	emptyPickUp, err := g.pickUp(ctx)
	if err != nil {
		return err
	}
	emptyRate, err := g.acknowledge(ctx)
	if err != nil {
		return err
	}
	if err := g.fill(ctx); err != nil {
		return err
	}
	fullRate, err := g.acknowledge(ctx)
	if err != nil {
		return err
	}
	fullPickUp, err := g.pickUp(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("acknowledged at %d connections: %.0f/s empty, %.0f/s grown, ratio %.2f\n", growthConnections, emptyRate, fullRate, fullRate/emptyRate)
	fmt.Printf("question to answer, 10 a second: p50 %s empty, %s grown, ratio %.2f\n", milliseconds(emptyPickUp), milliseconds(fullPickUp),
		float64(fullPickUp)/float64(emptyPickUp))
	return nil
}

type growth struct {
	options
	stores   *system.Stores
	database string
	// last is the system that ran last on the database.
	last *system.System
}

func (g *growth) start(ctx context.Context, env map[string]string) (*system.System, error) {
	s, err := system.Start(ctx, g.stores, system.Options{Database: g.database, Env: env, After: g.last})
	if err == nil {
		g.last = s
	}
	return s, err
}

// acknowledge measures the rate of acknowledgements, and leaves no turn behind.
func (g *growth) acknowledge(ctx context.Context) (float64, error) {
	s, err := g.start(ctx, map[string]string{"KNOBOT_ROLE": "api"})
	if err != nil {
		return 0, err
	}
	defer s.Stop()
	var rates []float64
	for range g.rounds {
		r := load(ctx, s.HTTP+system.WhatsAppPath, s.Credentials.AppSecret, s.Credentials.PhoneNumberID, growthConnections, g.length)
		if r.refused > 0 {
			return 0, fmt.Errorf("%d webhooks were refused", r.refused)
		}
		rates = append(rates, r.rate)
	}
	return median(rates), g.exec(ctx, `delete from conversation.turns where due_at < now() + interval '1 hour'`)
}

// pickUp measures how soon a question is answered when nothing else is going on.
func (g *growth) pickUp(ctx context.Context) (time.Duration, error) {
	p, err := startPlatform(ctx)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	s, err := g.start(ctx, map[string]string{"KNOBOT_DEBOUNCE": "0s", "KNOBOT_CUSTOMER_HOURLY_LIMIT": "0", "KNOBOT_CUSTOMER_DAILY_LIMIT": "0", "WHATSAPP_API_URL": p.url, "KNOBOT_WHATSAPP_RATE": "10000"})
	if err != nil {
		return 0, err
	}
	defer s.Stop()
	if err := s.Store(ctx, "envios.md", document); err != nil {
		return 0, err
	}
	c := s.Credentials
	r := &receiver{url: s.HTTP + system.WhatsAppPath, secret: c.AppSecret, phoneNumberID: c.PhoneNumberID, platform: p, questions: []string{question}}
	k := r.steadily(ctx, turnInterval, g.turns, customers)
	if k.missed > 0 {
		return 0, fmt.Errorf("%d of %d questions were not answered", k.missed, g.turns)
	}
	return percentile(k.answered, 50), nil
}

// fill writes what years leave behind. The turns wait for much later: staff has the word in their conversations.
func (g *growth) fill(ctx context.Context) error {
	begin := time.Now()
	const (
		log  = `('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`
		talk = `('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid`
	)
	statements := []string{
		`insert into conversation.webhook_logs (id, platform, event_type, response_status, payload_sha256, remote_address, create_time)
		 select ` + log + `, 'whatsapp', 'text', 200, sha256(n::text::bytea), '127.0.0.1', now() - n * interval '10 seconds' from generate_series(1, $1::int) n`,
		`insert into conversation.webhook_payloads (sha256, log_id, body)
		 select sha256(n::text::bytea), ` + log + `, convert_to(repeat(md5(n::text), 45), 'UTF8') from generate_series(1, $1::int) n`,
		`insert into conversation.webhook_events (log_id, ordinal, integration_id, kind, message_id, outcome, processed_time)
		 select ` + log + `, 0, i.id::text, 'text', ` + log + `, 'answered', now()
		 from generate_series(1, $1::int) n, (select id from channels.integrations where platform = 'whatsapp') i`,
		`insert into conversation.inbound_keys (integration_id, key_sha256, log_id)
		 select i.id::text, sha256(n::text::bytea), ` + log + `
		 from generate_series(1, $1::int) n, (select id from channels.integrations where platform = 'whatsapp') i`,
		`insert into conversation.users (id, integration_id, platform, username, phone)
		 select ` + talk + `, i.id::text, 'whatsapp', 'grown_' || n, '5733' || lpad(n::text, 8, '0')
		 from generate_series(1, least($1::int, 100000)) n, (select id from channels.integrations where platform = 'whatsapp') i`,
		`insert into conversation.conversations (id, integration_id, scope, user_id, platform, platform_user_id, created_via, rag_enabled, passages, last_position)
		 select u.id, u.integration_id, 'user/' || u.id, u.id, 'whatsapp', u.phone, 'whatsapp', true, 5, 10
		 from conversation.users u where u.username like 'grown_%' and $1::int > 0`,
		`insert into conversation.messages (id, conversation_id, position, role, kind, text, state)
		 select gen_random_uuid(), c.id, p, 'customer', 'text', repeat('¿cuánto cuesta el envío? ', 4), 'answered'
		 from conversation.conversations c, generate_series(1, 10) p where c.last_position = 10 and $1::int > 0`,
		`insert into conversation.turns (conversation_id, integration_id, first_position, seq, due_at)
		 select id, integration_id, 10, 10, now() + interval '1 day' from conversation.conversations where last_position = 10 and $1::int > 0 limit ` + fmt.Sprint(grownWaiting),
	}
	for _, statement := range statements {
		if err := g.exec(ctx, statement, g.grown); err != nil {
			return err
		}
	}
	if err := g.exec(ctx, `vacuum analyze`); err != nil {
		return err
	}
	fmt.Printf("filled in %s; %s\n", time.Since(begin).Round(time.Second), g.sizes(ctx))
	return g.exec(ctx, `checkpoint`)
}

func (g *growth) exec(ctx context.Context, statement string, args ...any) error {
	conn, err := pgx.Connect(ctx, g.stores.Postgres.URL(g.database).Reveal())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement, args...)
	return err
}

// sizes says what a stored webhook takes on disk, with its indexes.
func (g *growth) sizes(ctx context.Context) string {
	conn, err := pgx.Connect(ctx, g.stores.Postgres.URL(g.database).Reveal())
	if err != nil {
		return err.Error()
	}
	defer func() { _ = conn.Close(ctx) }()
	var bytes int64
	err = conn.QueryRow(ctx, `select sum(pg_total_relation_size(c.oid))::bigint / (select count(*) from conversation.webhook_logs)
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = 'conversation' and c.relname in ('webhook_logs', 'webhook_payloads', 'webhook_events', 'inbound_keys')`).Scan(&bytes)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("a stored webhook of 1.5 KB takes %d bytes with its indexes", bytes)
}
