package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/services/conversation"
)

// late is a message of ours that a provider took and then reported as failed.
type late struct {
	conversation.Answer
	talk conversation.ID
}

// after is what becomes of a report of a failure.
type after int

const (
	// stands: it is recorded.
	stands after = iota
	// goesOutAgain: the message is not lost yet.
	goesOutAgain
	// comesTooSoon: the message is just being stored as sent; the report waits in the queue.
	comesTooSoon
)

// undo does what a failure asks for that came after the answer was sent.
func (s *Store) undo(ctx context.Context, tx pgx.Tx, o conversation.ReportOutcome, template *conversation.WindowTemplate) (after, error) {
	if !o.WindowClosed && o.RetryAfter == 0 {
		return stands, nil
	}
	var l late
	var state conversation.MessageState
	var beingSent bool
	err := tx.QueryRow(ctx, s.sql.get("late_find"), o.Request).
		Scan(&l.ID, &l.talk, &l.Purpose, &l.Through, &l.Language, &state, &beingSent)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return stands, nil // not said in a conversation
	case err != nil:
		return stands, err
	case beingSent:
		return comesTooSoon, nil
	case state == conversation.MessageSending && o.RetryAfter > 0:
		return goesOutAgain, nil
	case state != conversation.MessageSent:
		return stands, nil
	}
	var paused bool
	if err := tx.QueryRow(ctx, s.sql.get("conversation_lock"), l.talk).Scan(&paused); err != nil {
		return stands, err
	}
	switch {
	case o.WindowClosed && l.Purpose == conversation.Reply:
		return stands, s.holdLate(ctx, tx, l, template)
	case o.RetryAfter > 0 && (!paused || l.Purpose == conversation.ByStaff): // staff says it better, and sees that it failed
		return s.sendAgain(ctx, tx, l, o.RetryAfter)
	default:
		return stands, nil
	}
}

// takeBack stores that a message was not sent after all. Returns the first position that waits again, nil for none.
func (s *Store) takeBack(ctx context.Context, tx pgx.Tx, l late, as conversation.MessageState, state conversation.DeliveryState,
	cause string, waits conversation.Outcome,
) (first *int64, err error) {
	err = tx.QueryRow(ctx, s.sql.get("late_reopen"), l.ID, as, cause, state, waits).Scan(&first)
	return first, err
}

// holdLate holds an answer that WhatsApp took and then refused (error 131047): what it answered waits for the customer's next
// message, and the template invites to write it.
func (s *Store) holdLate(ctx context.Context, tx pgx.Tx, l late, template *conversation.WindowTemplate) error {
	first, err := s.takeBack(ctx, tx, l, conversation.MessageHeld, conversation.DeliveryFailed, windowClosed, conversation.OutcomeHeld)
	if err != nil || first == nil {
		return err
	}
	var invite bool
	err = tx.QueryRow(ctx, s.sql.get("conversation_hold"), l.talk, *first, template != nil).Scan(&invite)
	if err != nil || template == nil || !invite {
		return err
	}
	tag, err := tx.Exec(ctx, s.sql.get("late_hold_turn"), l.talk, l.Through)
	if err != nil || tag.RowsAffected() == 0 {
		return err // the customer wrote meanwhile: the window is open
	}
	t := conversation.Turn{Lease: conversation.Lease{Conversation: l.talk}}
	b := &pgx.Batch{}
	s.decide(ctx, b, t, invitation(*template, l.Answer), nil)
	return tx.SendBatch(ctx, b).Close()
}

// lost is the cause that stands on an answer which is replaced by one of its own, composed anew.
const lost = "the platform lost the message"

// sendAgain makes a lost message go out again after the pause, under its old request id. If the next answer is on its way
// already, what the lost one answered is answered anew after it.
func (s *Store) sendAgain(ctx context.Context, tx pgx.Tx, l late, pause time.Duration) (after, error) {
	var decided bool
	err := tx.QueryRow(ctx, s.sql.get("late_decided"), l.talk).Scan(&decided)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return stands, err
	}
	if decided {
		return stands, s.answerAnew(ctx, tx, l)
	}
	first, err := s.takeBack(ctx, tx, l, conversation.MessageSending, conversation.DeliveryUnspecified, "", conversation.OutcomeOpen)
	if err != nil {
		return stands, err
	}
	from := l.Through + 1 // an apology or an invitation answers nothing
	if first != nil {
		from = *first
	}
	_, err = tx.Exec(ctx, s.sql.get("late_again"), l.talk, l.ID, from, l.Through, seconds(pause))
	return goesOutAgain, err
}

func (s *Store) answerAnew(ctx context.Context, tx pgx.Tx, l late) error {
	if l.Purpose != conversation.Reply {
		return nil
	}
	first, err := s.takeBack(ctx, tx, l, conversation.MessageFailed, conversation.DeliveryFailed, lost, conversation.OutcomeOpen)
	if err != nil || first == nil {
		return err
	}
	_, err = tx.Exec(ctx, s.sql.get("late_anew"), l.talk, *first)
	return err
}
