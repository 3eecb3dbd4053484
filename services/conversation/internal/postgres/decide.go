package postgres

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/platform/telemetry"
	"github.com/knobot/knobot/services/conversation"
)

// locked is a turn whose row is locked.
type locked struct {
	seq      int64
	answer   conversation.MessageID
	discards int
	overdue  bool
	// paused says that staff has the word.
	paused bool
	// subscribed says that somebody is told what happens.
	subscribed bool
}

// lock sends a batch and, at its end, locks the turn by its lease. Returns ErrLeaseLost if another worker has it.
func (s *Store) lock(ctx context.Context, tx *platform.QuickTx, b *pgx.Batch, t conversation.Turn) (l locked, err error) {
	b.Queue(s.sql.get("turn_lock"), t.Conversation, t.Token, seconds(s.settings.LongestWait)).QueryRow(func(row pgx.Row) error {
		err := row.Scan(&l.seq, &l.answer, &l.discards, &l.overdue, &l.subscribed)
		if errors.Is(err, pgx.ErrNoRows) {
			return conversation.ErrLeaseLost
		}
		return err
	})
	return l, tx.SendBatch(ctx, b).Close()
}

// lockBoth sends a batch and, at its end, locks the conversation and then the turn, the order that ingest has too.
func (s *Store) lockBoth(ctx context.Context, tx *platform.QuickTx, b *pgx.Batch, t conversation.Turn) (locked, error) {
	var paused bool
	b.Queue(s.sql.get("conversation_lock"), t.Conversation).QueryRow(func(row pgx.Row) error { return row.Scan(&paused) })
	l, err := s.lock(ctx, tx, b, t)
	l.paused = paused
	return l, err
}

// Checkpoint decides to send the draft, or throws it away because the customer went on writing: at most twice, and never
// once the longest wait has passed. While staff has the word nothing is decided.
func (s *Store) Checkpoint(ctx context.Context, t conversation.Turn, d conversation.Draft) (conversation.Answer, error) {
	a := conversation.Answer{
		Purpose: conversation.Reply, Text: d.Text, Through: d.Through, ReplyTo: d.ReplyTo, Language: d.Language,
		Buttons: d.Buttons,
	}
	var thrownAway error
	err := s.quickly(ctx, func(tx *platform.QuickTx) error {
		l, err := s.lockBoth(ctx, tx, tx.Begin(), t)
		if err != nil {
			return err
		}
		if l.answer != "" { // decided, but the news of the commit was lost
			return s.decided(ctx, tx, l.answer, &a)
		}
		b := &pgx.Batch{}
		var instead string
		if instead, thrownAway = l.discard(d); thrownAway != nil {
			b.Queue(s.sql.get(instead), t.Conversation)
		} else {
			s.decide(ctx, b, t, &a, d.Basis)
		}
		tx.Commit(b)
		return tx.SendBatch(ctx, b).Close()
	})
	if err == nil {
		err = thrownAway
	}
	return a, err
}

// discard says why a draft is thrown away, and with what; no reason means that it is sent.
func (l locked) discard(d conversation.Draft) (statement string, why error) {
	switch {
	case l.paused:
		return "turn_pause", conversation.ErrPaused
	case l.seq != d.Seen && l.discards < conversation.MaxDiscards && !l.overdue:
		return "turn_discard", conversation.ErrMoved
	default:
		return "", nil
	}
}

func (s *Store) decided(ctx context.Context, tx *platform.QuickTx, id conversation.MessageID, a *conversation.Answer) error {
	a.ID = id
	return tx.QueryRow(ctx, s.sql.get("answer_get"), id).Scan(&a.Request, &a.Text, &a.Through, &a.ReplyTo, &a.Language, &a.Buttons)
}

// decide stores a message of ours that is to go out, and mints its request id.
func (s *Store) decide(ctx context.Context, b *pgx.Batch, t conversation.Turn, a *conversation.Answer, basis *conversation.Basis) {
	a.ID, a.Request = conversation.MessageID(newID()), conversation.RequestID(uuid.NewString())
	a.Trace = telemetry.Parent(ctx)
	b.Queue(s.sql.get("answer_decide"), t.Conversation, a.ID, a.Text, a.Purpose, a.Request, a.ReplyTo, a.Template,
		a.Language, a.Through, basis, orNull(a.Buttons), a.Trace)
}

// orNull keeps a column empty where there is nothing to put into it.
func orNull[T any](list []T) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

// Bury gives up on the open messages.
func (s *Store) Bury(ctx context.Context, t conversation.Turn, cause, apology string) error {
	through := t.Seq
	var failed *conversation.MessageID
	if t.Answer != nil {
		through, failed = t.Answer.Through, &t.Answer.ID
	}
	return s.quickly(ctx, func(tx *platform.QuickTx) error {
		l, err := s.lockBoth(ctx, tx, tx.Begin(), t)
		if err != nil {
			return err
		}
		b := &pgx.Batch{}
		b.Queue(s.sql.get("messages_dead"), t.Conversation, t.First, through, cause, failed)
		if failed != nil {
			b.Queue(s.sql.get("answer_settle"), failed, conversation.MessageFailed, "", conversation.DeliveryUnspecified,
				cause == conversation.ReasonOutcomeUnknown, cause)
		}
		if apology == "" || l.paused { // staff is there to say it better
			s.close(b, t, through)
		} else {
			b.Queue(s.sql.get("turn_settle_next"), t.Conversation, cause)
			s.decide(ctx, b, t, &conversation.Answer{Purpose: conversation.Apology, Text: apology, Through: through}, nil)
		}
		tx.Commit(b)
		return tx.SendBatch(ctx, b).Close()
	})
}

// close ends the turn, or opens it anew for what came in meanwhile, or for what staff wrote. The row is locked.
func (s *Store) close(b *pgx.Batch, t conversation.Turn, through int64) {
	b.Queue(s.sql.get("turn_close"), t.Conversation, through)
	b.Queue(s.sql.get("turn_reopen"), t.Conversation, through, t.First)
	b.Queue(s.sql.get("turn_next_reply"), t.Conversation)
}
