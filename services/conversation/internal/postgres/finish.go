package postgres

import (
	"cmp"
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// Finish stores that the answer went out. What it answers is answered; an apology or invitation answers nothing.
func (s *Store) Finish(ctx context.Context, t conversation.Turn, a conversation.Answer, sent conversation.Sent) error {
	return s.settle(ctx, t, a, func(b *pgx.Batch, l locked) {
		b.Queue(s.sql.get("answer_settle"), a.ID, conversation.MessageSent, sent.PlatformMessageID, sent.State, sent.MaybeDuplicate, "")
		if a.Purpose != conversation.Reply && a.Purpose != conversation.ByStaff {
			return
		}
		if len(sent.Parts) > 0 {
			b.Queue(s.sql.get("parts_insert"), t.Conversation, a.ID, sent.Parts)
		}
		if a.Purpose == conversation.Reply {
			b.Queue(s.sql.get("messages_answered"), t.Conversation, t.First, a.Through, a.ID, string(a.Request))
		} else {
			s.queueAnsweredByStaff(b, t.Conversation, a)
		}
		if l.subscribed {
			s.tell(b, conversation.NoticeAnswered, a.ID)
		}
	})
}

// queueAnsweredByStaff settles what the customer wrote before a reply of staff, what is held too.
func (s *Store) queueAnsweredByStaff(b *pgx.Batch, talk conversation.ID, a conversation.Answer) {
	ids := []string{string(talk)}
	b.Queue(s.sql.get("staff_answered"), ids, []int64{a.Through + 1}, []*time.Time{nil})
	b.Queue(s.sql.get("conversations_still_held"), ids)
}

// Abandon stores that an apology, an invitation or a reply of staff will not go out. What the reply was to answer still waits.
func (s *Store) Abandon(ctx context.Context, t conversation.Turn, a conversation.Answer, cause string) error {
	if a.Purpose == conversation.ByStaff {
		a.Through = t.First - 1
	}
	return s.settle(ctx, t, a, func(b *pgx.Batch, l locked) {
		b.Queue(s.sql.get("answer_settle"), a.ID, conversation.MessageFailed, "", conversation.DeliveryUnspecified, false, cause)
		if a.Purpose == conversation.ByStaff && l.subscribed {
			s.tell(b, conversation.NoticeFailed, a.ID)
		}
	})
}

func (s *Store) settle(ctx context.Context, t conversation.Turn, a conversation.Answer, queue func(*pgx.Batch, locked)) error {
	return s.quickly(ctx, func(tx *platform.QuickTx) error {
		lock := s.lock
		if a.Purpose == conversation.ByStaff { // changes the conversation, which is locked first
			lock = s.lockBoth
		}
		b := tx.Begin()
		b.Queue(platform.NoWait) // who comes to the turn once more is told by channels what became of the answer
		l, err := lock(ctx, tx, b, t)
		if err != nil {
			return err
		}
		b = &pgx.Batch{}
		queue(b, l)
		s.close(b, t, a.Through)
		tx.Commit(b)
		return tx.SendBatch(ctx, b).Close()
	})
}

// Dismiss closes a turn that has nothing to answer.
func (s *Store) Dismiss(ctx context.Context, t conversation.Turn) error {
	return s.settle(ctx, t, conversation.Answer{Through: t.Seq}, func(*pgx.Batch, locked) {})
}

const windowClosed = "the service window is closed"

// Hold keeps an answer back until the customer writes again. If that happened already, all is composed anew at once.
func (s *Store) Hold(ctx context.Context, t conversation.Turn, a conversation.Answer, template *conversation.WindowTemplate) error {
	return s.quickly(ctx, func(tx *platform.QuickTx) error {
		l, err := s.lockBoth(ctx, tx, tx.Begin(), t)
		if err != nil {
			return err
		}
		b := &pgx.Batch{}
		b.Queue(s.sql.get("answer_settle"), a.ID, conversation.MessageHeld, "", conversation.DeliveryUnspecified, false, windowClosed)
		if l.seq > a.Through {
			b.Queue(s.sql.get("turn_compose_anew"), t.Conversation, a.Through)
			b.Queue(s.sql.get("turn_next_reply"), t.Conversation)
			tx.Commit(b)
			return tx.SendBatch(ctx, b).Close()
		}
		var invite bool
		b.Queue(s.sql.get("messages_held"), t.Conversation, t.First, a.Through, windowClosed, string(a.Request))
		b.Queue(s.sql.get("conversation_hold"), t.Conversation, t.First, template != nil && !l.paused).
			QueryRow(func(row pgx.Row) error { return row.Scan(&invite) })
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		return s.invite(ctx, tx, t, a, template, invite && !l.paused)
	})
}

// invite decides to send the template, or closes the turn where there is none to send.
func (s *Store) invite(ctx context.Context, tx *platform.QuickTx, t conversation.Turn, a conversation.Answer,
	template *conversation.WindowTemplate, allowed bool,
) error {
	b := &pgx.Batch{}
	if template == nil || !allowed {
		s.close(b, t, a.Through)
	} else {
		b.Queue(s.sql.get("turn_settle_next"), t.Conversation, windowClosed)
		s.decide(ctx, b, t, invitation(*template, a), nil)
	}
	tx.Commit(b)
	return tx.SendBatch(ctx, b).Close()
}

// invitation is the message that stands for a template in the conversation.
func invitation(template conversation.WindowTemplate, a conversation.Answer) *conversation.Answer {
	return &conversation.Answer{
		Purpose: conversation.Invitation, Text: template.Name, Through: a.Through, Template: template.Name,
		Language: template.LanguageFor(cmp.Or(a.Language, conversation.DefaultLanguage)),
	}
}

// Fail records a failure.
func (s *Store) Fail(ctx context.Context, t conversation.Turn, cause string, delay time.Duration) error {
	return s.handBack(ctx, "turn_fail", t.Conversation, t.Token, cause, seconds(delay))
}

// Postpone makes the turn due later, without an attempt.
func (s *Store) Postpone(ctx context.Context, t conversation.Turn, delay time.Duration) error {
	return s.handBack(ctx, "turn_postpone", t.Conversation, t.Token, seconds(delay))
}

// Release hands the turn back as it was.
func (s *Store) Release(ctx context.Context, t conversation.Turn) error {
	return s.handBack(ctx, "turn_release", t.Conversation, t.Token)
}

func (s *Store) handBack(ctx context.Context, statement string, args ...any) error {
	tag, err := s.pool.Exec(ctx, s.sql.get(statement), args...)
	if err != nil {
		return platform.Fault(err)
	}
	if tag.RowsAffected() == 0 {
		return conversation.ErrLeaseLost
	}
	return nil
}
