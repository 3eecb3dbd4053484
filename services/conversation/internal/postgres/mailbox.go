package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

var _ conversation.Mailbox = (*Store)(nil)

// Claim leases due turns.
func (s *Store) Claim(ctx context.Context, r conversation.ClaimRequest) ([]conversation.Turn, error) {
	var integrations []string
	var free, held []int
	for _, room := range r.Rooms {
		integrations = append(integrations, string(room.Integration))
		free, held = append(free, room.Free), append(held, room.Held)
	}
	var turns []conversation.Turn
	b := &pgx.Batch{}
	b.Queue(platform.NoWait) // who holds a lease that is forgotten decides nothing with it
	b.Queue(s.sql.get("turns_claim"), integrations, free, held, r.Limit, seconds(r.Lease), r.Solo, conversation.SoloCrashes).
		Query(func(rows pgx.Rows) (err error) {
			turns, err = pgx.CollectRows(rows, scanTurn)
			return err
		})
	return turns, platform.Fault(s.pool.SendBatch(ctx, b).Close())
}

func scanTurn(row pgx.CollectableRow) (conversation.Turn, error) {
	var t conversation.Turn
	var chat *int64
	var thread int64
	var business, trace string
	var last *time.Time
	var a struct {
		id, request, purpose, text, replyTo, template, language *string
		through                                                 *int64
		buttons                                                 []conversation.Button
	}
	err := row.Scan(&t.Conversation, &t.Token, &t.Integration, &t.Platform, &t.Seq, &t.First, &t.Attempt, &t.Crashes, &t.OpenedAt,
		&t.Address.UserID, &t.Address.PhoneNumber, &chat, &thread, &business, &last,
		&a.id, &a.request, &a.purpose, &a.text, &a.through, &a.replyTo, &a.template, &a.language, &a.buttons, &trace)
	if err != nil {
		return t, err
	}
	if chat != nil {
		t.Address = conversation.Address{Chat: &conversation.Chat{ID: *chat, ThreadID: thread, BusinessConnectionID: business}}
	}
	if t.Platform == conversation.WhatsApp && last != nil {
		t.WindowExpires = last.Add(conversation.ServiceWindow)
	}
	if a.id != nil {
		t.Answer = &conversation.Answer{
			ID: conversation.MessageID(*a.id), Request: conversation.RequestID(*a.request), Purpose: conversation.Purpose(*a.purpose),
			Text: *a.text, Through: *a.through, ReplyTo: *a.replyTo, Template: *a.template, Language: *a.language,
			Buttons: a.buttons, Trace: trace,
		}
	}
	return t, nil
}

// Waiting says when Claim is worth calling again.
func (s *Store) Waiting(ctx context.Context, integrations []conversation.IntegrationID) (conversation.Waiting, error) {
	var w conversation.Waiting
	var next *float64
	err := s.pool.QueryRow(ctx, s.sql.get("turns_waiting"), strs(integrations), conversation.SoloCrashes).Scan(&next, &w.Solo)
	if next != nil {
		w.Any, w.Next = true, time.Duration(*next*float64(time.Second))
	}
	return w, platform.Fault(err)
}

// Extend prolongs leases and returns those that are lost.
func (s *Store) Extend(ctx context.Context, lease time.Duration, held []conversation.Lease) ([]conversation.Lease, error) {
	var ids, tokens []string
	lost := map[conversation.ID]conversation.Lease{}
	for _, l := range held {
		ids, tokens = append(ids, string(l.Conversation)), append(tokens, l.Token)
		lost[l.Conversation] = l
	}
	rows, err := s.pool.Query(ctx, s.sql.get("turns_extend"), ids, tokens, seconds(lease))
	if err != nil {
		return nil, platform.Fault(err)
	}
	var id conversation.ID
	if _, err := pgx.ForEachRow(rows, []any{&id}, func() error { delete(lost, id); return nil }); err != nil {
		return nil, platform.Fault(err)
	}
	var out []conversation.Lease
	for _, l := range lost {
		out = append(out, l)
	}
	return out, nil
}

// How much of a burst one answer takes: the rest waits for the next. Both are far above what a person writes.
const (
	maxOpenMessages = 100
	maxOpenBytes    = 4 << 20
	maxPastText     = 4000
)

// Dialogue loads what an answer is composed from.
func (s *Store) Dialogue(ctx context.Context, t conversation.Turn) (conversation.Dialogue, error) {
	var d conversation.Dialogue
	b := &pgx.Batch{}
	b.Queue(s.sql.get("conversation_traits"), t.Conversation).QueryRow(func(row pgx.Row) error {
		return row.Scan(&d.Group, &d.Passages, &d.RAG)
	})
	b.Queue(s.sql.get("dialogue_open"), t.Conversation, t.First, t.Seq, maxOpenMessages).Query(func(rows pgx.Rows) (err error) {
		d.Open, err = pgx.CollectRows(rows, scanOpen)
		return err
	})
	b.Queue(s.sql.get("dialogue_past"), t.Conversation, t.Seq+1, conversation.HistoryMessages, maxPastText).
		Query(func(rows pgx.Rows) (err error) {
			d.History, err = pgx.CollectRows(rows, pgx.RowToStructByPos[conversation.PastMessage])
			return err
		})
	d.Asked = map[conversation.UserID]conversation.Asked{}
	b.Queue(s.sql.get("dialogue_asked"), t.Conversation, t.First, conversation.MaxLookBack).Query(func(rows pgx.Rows) error {
		var user conversation.UserID
		var a conversation.Asked
		_, err := pgx.ForEachRow(rows, []any{&user, &a.LastHour, &a.LastDay, &a.Told}, func() error { d.Asked[user] = a; return nil })
		return err
	})
	if err := s.pool.SendBatch(ctx, b).Close(); err != nil {
		return d, platform.Fault(err)
	}
	d.Open = fitting(d.Open)
	for i, j := 0, len(d.History)-1; i < j; i, j = i+1, j-1 {
		d.History[i], d.History[j] = d.History[j], d.History[i]
	}
	return d, nil
}

// fitting keeps as many messages as one call may carry, at least one.
func fitting(open []conversation.OpenMessage) []conversation.OpenMessage {
	size := 0
	for i, m := range open {
		if size += len(m.Text); m.Transcript != nil {
			size += len(*m.Transcript)
		}
		if size > maxOpenBytes && i > 0 {
			return open[:i]
		}
	}
	return open
}
