package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/pgtest"
)

// TestHotStatementsUseTheirIndexes explains them over tables that are large enough for the planner to care.
func TestHotStatementsUseTheirIndexes(t *testing.T) {
	t.Parallel()
	pool := pgtest.Database(t, Schema())
	fill(t, pool)
	const (
		talk    = "00000000-0000-7000-8000-000000000001"
		nowhere = "ffffffff-ffff-ffff-ffff-ffffffffffff"
	)
	keys := []string{"wa-1"}
	for name, c := range map[string]struct {
		args    []any
		indexes []string
	}{
		"users_find":               {[]any{keys, []string{"CO.17"}, keys, []string{"5717"}}, []string{"users_external_id", "users_phone_key", "former_ids_pkey"}},
		"keys_owner":               {[]any{keys, [][]byte{{1}}}, []string{"inbound_keys_pkey"}},
		"payloads_owner":           {[]any{[][]byte{{1}}}, []string{"webhook_payloads_pkey"}},
		"conversations_close_idle": {[]any{keys, []string{"user/17"}, 86400.0}, []string{"conversations_active"}},
		"turns_claim":              {[]any{keys, []int32{8}, []int32{0}, 8, 30.0, false, 2}, []string{"turns_due"}},
		"turns_waiting":            {[]any{keys, 2}, []string{"turns_due"}},
		"turn_lock":                {[]any{talk, nowhere, 10.0}, []string{"turns_pkey"}},
		"dialogue_open":            {[]any{talk, 5, 9, 100}, []string{"messages_conversation_id_position_key"}},
		"dialogue_past":            {[]any{talk, 10, 12, 4000}, []string{"messages_conversation_id_position_key"}},
		"messages_answered": {
			[]any{talk, 5, 9, nowhere, "r"}, []string{"messages_conversation_id_position_key", "webhook_events_message"},
		},
		"messages_delivered": {
			[]any{[]string{nowhere}, []int16{1}, []string{""}}, []string{"messages_request", "webhook_events_message"},
		},
		"staff_answered": {
			[]any{[]string{talk}, []int64{9}, []time.Time{time.Now()}},
			[]string{"messages_conversation_id_position_key", "webhook_events_message"},
		},
		"chat_lock":      {[]any{"wa-1", int64(7)}, []string{"conversations_chat"}},
		"reports_oldest": {[]any{"wa-1", 200}, []string{"delivery_reports_order"}},
		"answers_traced": {[]any{[]string{nowhere}}, []string{"messages_request"}},
		"reports_settle": {
			[]any{[]int64{1}, []string{"recorded"}, []string{""}, []string{""}}, []string{"delivery_reports_pkey", "webhook_events_pkey"},
		},
		"fetches_claim": {[]any{keys, 8, 90.0}, []string{"media_fetches_due", "media_fetches_pkey", "messages_pkey"}},
		"fetch_done":    {[]any{nowhere, nowhere, "s", 1}, []string{"media_fetches_pkey", "messages_pkey"}},
		"message_hear":  {[]any{talk, nowhere, "s", 1, "hola"}, []string{"messages_pkey"}},
		"logs_list":     {[]any{[]string{nowhere, talk}}, []string{"webhook_logs_pkey", "webhook_events_pkey"}},
		"logs_by_time": {
			[]any{[]string{"whatsapp", "telegram"}, time.Now(), nowhere, time.Now().Add(-time.Hour), "answered", 10},
			[]string{"webhook_logs_newest", "webhook_events_pkey"},
		},
		"logs_by_type": {
			[]any{[]string{"whatsapp", "telegram"}, time.Now(), nowhere, time.Time{}, "", 10, "rejected"}, []string{"webhook_logs_type"},
		},
		"logs_by_integration": {
			[]any{"wa-2", nowhere, talk, "", []string{"whatsapp", "telegram"}, time.Time{}, time.Now(), "", 10},
			[]string{"webhook_events_integration", "webhook_logs_pkey"},
		},
		"logs_by_odd_outcome": {
			[]any{"", nowhere, talk, "stale", []string{"whatsapp", "telegram"}, time.Time{}, time.Now(), "", 10},
			[]string{"webhook_events_odd", "webhook_logs_pkey"},
		},
		"logs_count": {
			[]any{[]string{"whatsapp", "telegram"}, time.Now().Add(-time.Minute), time.Now()}, []string{"webhook_logs_newest"},
		},
		"outcomes_count": {
			[]any{[]string{"whatsapp", "telegram"}, time.Now().Add(-time.Minute), time.Now()}, []string{"webhook_logs_newest", "webhook_events_pkey"},
		},
		"logs_prune":   {[]any{[]string{"whatsapp", "telegram"}, 86400.0, 100}, []string{"webhook_logs_newest", "webhook_events_pkey", "webhook_payloads_pkey"}},
		"buttons_find": {[]any{[]string{nowhere}}, []string{"messages_pkey", "conversations_pkey"}},
		"feedback_set": {
			[]any{[]string{talk}, []string{"wamid.1"}, []int16{1}, []time.Time{time.Now()}},
			[]string{"conversations_user", "messages_platform_id", "message_parts_pkey", "messages_pkey"},
		},
		"dialogue_asked":        {[]any{talk, 10, 20000}, []string{"messages_conversation_id_position_key"}},
		"erasure_user":          {[]any{talk}, []string{"users_pkey"}},
		"erasure_conversations": {[]any{talk, "wa-1", []int64{7}}, []string{"conversations_user", "conversations_chat"}},
		"erasure_messages": {
			[]any{[]string{talk}, talk, "wa-1", 100}, []string{"conversations_groups", "messages_conversation_id_position_key"},
		},
		"erasure_payloads": {[]any{[]string{nowhere}}, []string{"webhook_events_message", "webhook_logs_pkey"}},
		"erasure_scan":     {[]any{[]byte{}, 100, []string{"57"}, talk}, []string{"webhook_payloads_pkey"}},
		"reports_erased": {
			[]any{[]int64{1}}, []string{"delivery_reports_pkey", "erased_messages_pkey", "webhook_logs_pkey", "webhook_payloads_pkey", "webhook_events_pkey"},
		},
		"export_origins": {[]any{[]string{nowhere}, talk}, []string{"messages_pkey", "webhook_events_message"}},
		"retention_conversations": {
			[]any{"wa-2", 86400.0, 100}, []string{"conversations_age"},
		},
		"retention_messages": {
			[]any{[]string{talk}, 86400.0, 100}, []string{"messages_conversation_id_position_key", "webhook_events_message"},
		},
		"retention_payloads": {
			[]any{"whatsapp", "wa-1", 86400.0, time.Time{}, firstID, 100}, []string{"webhook_logs_newest"},
		},
		"notices_raise":             {[]any{"message.received", []string{nowhere}}, []string{"messages_pkey", "conversations_pkey"}},
		"notices_claim":             {[]any{[]string{nowhere}, []int32{4}, 4, 16, 60.0, 8000}, []string{"subscription_deliveries_due", "subscription_deliveries_pkey"}},
		"notice_failed":             {[]any{nowhere, nowhere, 500, "STATUS_500", 5.0, false}, []string{"subscription_deliveries_pkey"}},
		"notices_list":              {[]any{talk, time.Now(), nowhere, 50}, []string{"subscription_deliveries_newest"}},
		"notices_list_dead":         {[]any{talk, time.Now(), nowhere, 50}, []string{"subscription_deliveries_dead"}},
		"turn_close":                {[]any{talk, 9}, []string{"turns_pkey", "messages_replies"}},
		"turn_next_reply":           {[]any{talk}, []string{"turns_pkey", "messages_replies"}},
		"reply_find":                {[]any{nowhere, talk, "hola"}, []string{"messages_request"}},
		"chat_silence":              {[]any{"wa-1", int64(7), "BOT_BLOCKED"}, []string{"conversations_chat", "messages_replies"}},
		"conversations_list":        {[]any{"", "", time.Now(), nowhere, 50, nil}, []string{"conversations_newest"}},
		"conversations_list_paused": {[]any{"", "", time.Now(), nowhere, 50, nil}, []string{"conversations_paused"}},
		"feedback_untold":           {[]any{100}, []string{"messages_feedback"}},
		"messages_list":             {[]any{talk, 3, 50}, []string{"messages_conversation_id_position_key"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := explain(t, pool, load().get(name), c.args...)
			for _, index := range c.indexes {
				require.Contains(t, plan, index, plan)
			}
			// of subscriptions there are at most a hundred, of rejections a few rows a day
			small := strings.NewReplacer("Seq Scan on subscriptions ", "", "Seq Scan on webhook_rejections ", "")
			require.NotContains(t, small.Replace(plan), "Seq Scan on", plan)
		})
	}
}

// TestStatementsThatRunAllTheTimeArePlannedOnce runs them twenty times on one connection and asks how often they were planned for
// their parameters: PostgreSQL tries that five times (https://www.postgresql.org/docs/15/sql-prepare.html, read 2026-11-27).
func TestStatementsThatRunAllTheTimeArePlannedOnce(t *testing.T) {
	t.Parallel()
	pool := pgtest.Database(t, Schema())
	keys := []string{"wa-1"}
	statements := map[string][]any{
		"turns_claim":   {keys, []int32{8}, []int32{0}, 8, 30.0, false, 2},
		"turns_waiting": {keys, 2},
		"fetches_claim": {keys, 8, 90.0},
		"notices_claim": {[]string{}, []int32{}, 4, 16, 60.0, 8000},
	}
	check := func(tables string) {
		pool.Reset()
		conn, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
		for name, args := range statements {
			for range 20 {
				_, err := conn.Exec(t.Context(), load().get(name), args...)
				require.NoError(t, err)
			}
			var once, anew int
			require.NoError(t, conn.QueryRow(t.Context(), `select generic_plans, custom_plans from pg_prepared_statements where statement = $1`,
				load().get(name)).Scan(&once, &anew))
			require.Equal(t, 20, once+anew, name)
			require.LessOrEqual(t, anew, 5, "%s on %s tables", name, tables)
		}
	}
	check("empty")
	fill(t, pool)
	check("large")
}

func explain(t *testing.T, pool *pgxpool.Pool, statement string, args ...any) string {
	t.Helper()
	rows, err := pool.Query(t.Context(), "explain "+statement, args...)
	require.NoError(t, err)
	var plan strings.Builder
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		plan.WriteString(line + "\n")
	}
	require.NoError(t, rows.Err())
	return plan.String()
}

// fill writes 20,000 customers with a conversation, messages, events and turns each.
func fill(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	const id = `('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`
	for _, statement := range []string{
		`insert into users (id, integration_id, platform, username, external_id, phone)
		 select ` + id + `, 'wa-1', 'whatsapp', 'whatsapp_' || n, 'CO.' || n, '57' || n from generate_series(1, 20000) n`,
		`insert into former_ids (integration_id, external_id, user_id)
		 select 'wa-1', 'CO.before.' || n, ` + id + ` from generate_series(1, 20000) n`,
		`insert into conversations (id, integration_id, scope, user_id, platform, platform_user_id, created_via, rag_enabled, passages)
		 select ` + id + `, 'wa-1', 'user/' || n, ` + id + `, 'whatsapp', '57' || n, 'whatsapp', true, 5 from generate_series(1, 20000) n`,
		`insert into messages (id, conversation_id, position, role, kind, text, state, request_id)
		 select gen_random_uuid(), ` + id + `, p, 'customer', 'text', 'hola', 'answered', gen_random_uuid()
		 from generate_series(1, 20000) n, generate_series(1, 3) p`,
		`insert into message_parts (conversation_id, platform_message_id, message_id)
		 select conversation_id, 'wamid.' || position, id from messages`,
		`insert into webhook_logs (id, platform, event_type, response_status, remote_address, create_time)
		 select ` + id + `, 'whatsapp', case when n % 5000 = 0 then 'rejected' else 'text' end, 200, '', now() - n * interval '1 second'
		 from generate_series(1, 20000) n`,
		`insert into webhook_events (log_id, ordinal, integration_id, kind, message_id, outcome)
		 select ` + id + `, 0, 'wa-1', 'text', ` + id + `, case when n % 1000 = 0 then 'dead' when n % 700 = 0 then 'stale' else 'answered' end from generate_series(1, 20000) n`,
		`insert into webhook_payloads (sha256, log_id, body) select sha256(n::text::bytea), ` + id + `, 'x' from generate_series(1, 20000) n`,
		`insert into inbound_keys (integration_id, key_sha256, log_id) select 'wa-1', sha256(n::text::bytea), ` + id + ` from generate_series(1, 20000) n`,
		`insert into turns (conversation_id, integration_id, first_position, seq, due_at)
		 select ` + id + `, 'wa-1', 1, 1, now() + n * interval '1 second' from generate_series(1, 20000) n`,
		`insert into delivery_reports (integration_id, log_id, ordinal, message_id, state, echo, error_code, error_message, pricing_category, billable)
		 select 'wa-' || n % 50, ` + id + `, 0, 'm', 1, '', 0, '', '', false from generate_series(1, 20000) n`,
		`insert into media_fetches (message_id, integration_id, due_at)
		 select id, 'wa-' || position, now() + random() * interval '1 hour' from messages where position < 3`,
		`insert into erased_messages (integration_id, message_sha256) select 'wa-1', sha256(n::text::bytea) from generate_series(1, 20000) n`,
		`insert into erasures (user_id, integration_id, platform, username, external_ids, phones, done_time)
		 select gen_random_uuid(), 'wa-1', 'whatsapp', '', '{}', '{}', now() from generate_series(1, 20000)`,
		`insert into subscriptions (id, url, event_types, secret)
		 select ` + id + `, 'https://shop.example/hooks', '{message.received}', 'x' from generate_series(1, 5) n`,
		`insert into subscription_deliveries (subscription_id, event_type, conversation_id, state, due_at)
		 select ('00000000-0000-7000-8000-' || lpad(to_hex(1 + n % 5), 12, '0'))::uuid, 'message.received', ` + id + `,
		        case when n % 100 = 0 then 'dead' when n % 10 = 0 then 'pending' else 'delivered' end, now() + n * interval '1 second'
		 from generate_series(1, 20000) n`,
		`update conversations set bot_paused_until = now() + interval '1 hour' where platform_user_id like '57100%'`,
		`analyze`,
	} {
		_, err := pool.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}
