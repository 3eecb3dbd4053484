package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// Users lists users, newest first.
func (s *Store) Users(ctx context.Context, f conversation.UserFilter) ([]conversation.User, error) {
	from := start(f.After)
	rows, err := s.pool.Query(ctx, s.sql.get("users_list"), f.Integration, f.Platform, from.Time, from.ID, f.Limit)
	if err != nil {
		return nil, platform.Fault(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[conversation.User])
	return out, platform.Fault(err)
}

// User returns one user, or ErrNotFound.
func (s *Store) User(ctx context.Context, id conversation.UserID) (conversation.User, error) {
	return one[conversation.User](ctx, s, "user_get", id)
}

// Conversations lists conversations, newest first.
func (s *Store) Conversations(ctx context.Context, f conversation.Filter) ([]conversation.Conversation, error) {
	from := start(f.After)
	name := "conversations_list"
	if f.PausedOnly {
		name = "conversations_list_paused"
	}
	rows, err := s.pool.Query(ctx, s.sql.get(name), f.Integration, string(f.User), from.Time, from.ID, f.Limit, f.Closed)
	if err != nil {
		return nil, platform.Fault(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[conversation.Conversation])
	return out, platform.Fault(err)
}

// Conversation returns one conversation, or ErrNotFound.
func (s *Store) Conversation(ctx context.Context, id conversation.ID) (conversation.Conversation, error) {
	return one[conversation.Conversation](ctx, s, "conversation_get", id)
}

// CloseConversation ends a conversation. What waits in it is still answered. Returns ErrNotFound.
func (s *Store) CloseConversation(ctx context.Context, id conversation.ID) (conversation.Conversation, error) {
	return one[conversation.Conversation](ctx, s, "conversation_close", id)
}

// Messages lists the messages of a conversation in their order, after a position. Returns ErrNotFound for an unknown one.
func (s *Store) Messages(ctx context.Context, id conversation.ID, after int64, limit int) ([]conversation.Message, error) {
	if _, err := s.Conversation(ctx, id); err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, s.sql.get("messages_list"), id, after, limit)
	if err != nil {
		return nil, platform.Fault(err)
	}
	out, err := pgx.CollectRows(rows, scanMessage)
	return out, platform.Fault(err)
}

// Resume ends the bot's silence after staff wrote. Where it is not paused, nothing changes. Returns ErrNotFound.
func (s *Store) Resume(ctx context.Context, id conversation.ID) (conversation.Conversation, error) {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		b := &pgx.Batch{}
		b.Queue(s.sql.get("conversation_lock"), id)
		b.Queue(s.sql.get("conversation_resume"), id)
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return conversation.Conversation{}, err
	}
	return s.Conversation(ctx, id)
}

func one[T any](ctx context.Context, s *Store, statement string, id any) (T, error) {
	var zero T
	rows, err := s.pool.Query(ctx, s.sql.get(statement), id)
	if err != nil {
		return zero, platform.Fault(err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[T])
	return v, found(err)
}
