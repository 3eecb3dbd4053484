package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/services/conversation"
)

// HandOver gives the word to staff. What is being composed is thrown away. Returns ErrNotFound or ErrClosed.
func (s *Store) HandOver(ctx context.Context, id conversation.ID, h conversation.HandOver) (conversation.Conversation, error) {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		closed, _, err := s.lockForStaff(ctx, tx, id)
		if err != nil {
			return err
		}
		if closed {
			return conversation.ErrClosed
		}
		var news bool
		ids, b := []string{string(id)}, &pgx.Batch{}
		b.Queue(s.sql.get("conversation_hand_over"), id, seconds(h.Pause), h.Staff, h.Reason).
			QueryRow(func(row pgx.Row) error { return row.Scan(&news) })
		b.Queue(s.sql.get("turns_lock"), ids)
		b.Queue(s.sql.get("turns_take_back"), ids)
		if err := tx.SendBatch(ctx, b).Close(); err != nil || !news {
			return err
		}
		_, err = tx.Exec(ctx, s.sql.get("notices_hand_over"), id)
		return err
	})
	if err != nil {
		return conversation.Conversation{}, err
	}
	return s.Conversation(ctx, id)
}

// lockForStaff locks a conversation and says whether it ended, and whether nothing may be sent in it. Returns ErrNotFound.
func (s *Store) lockForStaff(ctx context.Context, tx pgx.Tx, id conversation.ID) (closed, shut bool, err error) {
	err = tx.QueryRow(ctx, s.sql.get("staff_conversation"), id, seconds(conversation.ServiceWindow)).Scan(&closed, &shut)
	if errors.Is(err, pgx.ErrNoRows) {
		err = conversation.ErrNotFound
	}
	return closed, shut, err
}

// Reply decides to send what staff wrote, after what is on its way already. The same request again returns the message that it
// became. Returns ErrNotFound, ErrClosed, ErrWindowClosed or ErrRequestReused.
func (s *Store) Reply(ctx context.Context, id conversation.ID, r conversation.StaffReply) (conversation.Message, error) {
	var position int64
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		closed, shut, err := s.lockForStaff(ctx, tx, id)
		if err != nil {
			return err
		}
		var same bool
		err = tx.QueryRow(ctx, s.sql.get("reply_find"), r.Request, id, r.Text).Scan(&position, &same)
		switch {
		case err == nil && !same:
			return conversation.ErrRequestReused
		case !errors.Is(err, pgx.ErrNoRows):
			return err
		case closed:
			return conversation.ErrClosed
		case shut:
			return conversation.ErrWindowClosed
		}
		position, err = s.storeReply(ctx, tx, id, r)
		return err
	})
	if err != nil {
		return conversation.Message{}, err
	}
	return s.message(ctx, id, position)
}

func (s *Store) storeReply(ctx context.Context, tx pgx.Tx, id conversation.ID, r conversation.StaffReply) (position int64, err error) {
	message, b := newID(), &pgx.Batch{}
	b.Queue(s.sql.get("reply_store"), id, message, r.Text, r.Request, seconds(r.Pause)).
		QueryRow(func(row pgx.Row) error { return row.Scan(&position) })
	b.Queue(s.sql.get("reply_turn"), message)
	return position, tx.SendBatch(ctx, b).Close()
}

// message returns the message at a place of a conversation.
func (s *Store) message(ctx context.Context, id conversation.ID, position int64) (conversation.Message, error) {
	said, err := s.Messages(ctx, id, position-1, 1)
	if err != nil || len(said) == 0 {
		return conversation.Message{}, errors.Join(err, conversation.ErrNotFound)
	}
	return said[0], nil
}
