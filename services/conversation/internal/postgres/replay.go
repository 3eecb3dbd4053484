package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// deadMessage is a message that may be opened again.
type deadMessage struct {
	Conversation conversation.ID
	Position     int64
	ID           conversation.MessageID
	Answer       string
}

// Replay opens the dead messages of a delivery again and returns how many. Nothing is decoded anew, and an answer that failed
// is sent again under its old request id, so that no customer is answered twice. Returns ErrNotFound, ErrNothingDead, or
// ErrBusy if the conversation is being answered.
func (s *Store) Replay(ctx context.Context, log conversation.LogID) (int32, error) {
	var opened int32
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		opened = 0
		dead, err := s.deadMessages(ctx, tx, log)
		if err != nil {
			return err
		}
		for len(dead) > 0 {
			n := sameConversation(dead)
			batch := sameAnswer(dead[:n])
			if err := s.reopen(ctx, tx, batch); err != nil {
				return err
			}
			for range batch {
				opened++
			}
			dead = dead[n:]
		}
		return nil
	})
	return opened, err
}

func (s *Store) deadMessages(ctx context.Context, tx pgx.Tx, log conversation.LogID) ([]deadMessage, error) {
	rows, err := tx.Query(ctx, s.sql.get("replay_dead"), log)
	if err != nil {
		return nil, err
	}
	dead, err := pgx.CollectRows(rows, pgx.RowToStructByPos[deadMessage])
	if err != nil || len(dead) > 0 {
		return dead, err
	}
	var exists bool
	if err := tx.QueryRow(ctx, s.sql.get("log_exists"), log).Scan(&exists); err != nil {
		return nil, err
	}
	if !exists {
		return nil, conversation.ErrNotFound
	}
	return nil, conversation.ErrNothingDead
}

func sameConversation(dead []deadMessage) int {
	n := 1
	for n < len(dead) && dead[n].Conversation == dead[0].Conversation {
		n++
	}
	return n
}

// sameAnswer returns those that one answer failed for. Others stay dead for another replay: two answers cannot be settled
// at once.
func sameAnswer(dead []deadMessage) []deadMessage {
	var out []deadMessage
	for _, d := range dead {
		if d.Answer == dead[0].Answer {
			out = append(out, d)
		}
	}
	return out
}

func (s *Store) reopen(ctx context.Context, tx pgx.Tx, dead []deadMessage) error {
	talk := dead[0].Conversation
	if _, err := tx.Exec(ctx, s.sql.get("conversation_lock"), talk); err != nil {
		return err
	}
	if err := s.idle(ctx, tx, talk); err != nil {
		return err
	}
	ids := make([]conversation.MessageID, 0, len(dead))
	for _, d := range dead {
		ids = append(ids, d.ID)
	}
	b := &pgx.Batch{}
	b.Queue(s.sql.get("replay_open"), strs(ids))
	b.Queue(s.sql.get("replay_turn"), talk, dead[0].Position, dead[len(dead)-1].Position)
	if dead[0].Answer != "" {
		b.Queue(s.sql.get("replay_answer"), talk, dead[0].Answer)
	}
	return tx.SendBatch(ctx, b).Close()
}

// idle returns ErrBusy if the conversation is being answered right now.
func (s *Store) idle(ctx context.Context, tx pgx.Tx, talk conversation.ID) error {
	var busy bool
	err := tx.QueryRow(ctx, s.sql.get("replay_busy"), talk).Scan(&busy)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return platform.Fault(err)
	case busy:
		return conversation.ErrBusy
	default:
		return nil
	}
}
