package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// EraseUser opens the erasure of a user, or returns the one that there is. From its commit on nobody sees the user and nothing
// of theirs is answered. Returns ErrNotFound for one that never was.
func (s *Store) EraseUser(ctx context.Context, id conversation.UserID) (conversation.Erasure, error) {
	e, err := s.Erasure(ctx, id)
	if !errors.Is(err, conversation.ErrNotFound) {
		return e, err
	}
	u, err := s.User(ctx, id)
	if err != nil {
		return e, err
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		// The locks that also guard the making of users, and before any row of theirs.
		keys := []int64{lockKey(u.Integration, u.ExternalID), lockKey(u.Integration, conversation.PhoneKey(u.Phone))}
		if _, err := tx.Exec(ctx, s.sql.get("users_lock"), keys); err != nil {
			return err
		}
		return s.openErasure(ctx, tx, id)
	})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return e, err
	}
	return s.Erasure(ctx, id)
}

func (s *Store) openErasure(ctx context.Context, tx pgx.Tx, id conversation.UserID) error {
	task := conversation.ErasureTask{User: id}
	err := tx.QueryRow(ctx, s.sql.get("erasure_user"), id).
		Scan(&task.Integration, &task.Platform, &task.Username, &task.ExternalIDs, &task.Phones)
	if err != nil {
		return err
	}
	talks, err := s.erasedTalks(ctx, tx, task)
	if err != nil {
		return err
	}
	b := &pgx.Batch{}
	b.Queue(s.sql.get("erasure_open"), id, task.Integration, task.Platform, task.Username, task.ExternalIDs, task.Phones)
	b.Queue(s.sql.get("erasure_hide"), id)
	b.Queue(s.sql.get("conversations_lock"), talks)
	b.Queue(s.sql.get("erasure_close"), talks)
	b.Queue(s.sql.get("turns_lock"), talks)
	b.Queue(s.sql.get("erasure_silence"), talks)
	return tx.SendBatch(ctx, b).Close()
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// erasedTalks returns the conversations that are the customer's alone.
func (s *Store) erasedTalks(ctx context.Context, q querier, t conversation.ErasureTask) ([]string, error) {
	chats := []int64{}
	if t.Platform == conversation.Telegram {
		for _, id := range t.ExternalIDs {
			if chat, ok := chatID(id); ok {
				chats = append(chats, chat)
			}
		}
	}
	rows, err := q.Query(ctx, s.sql.get("erasure_conversations"), t.User, t.Integration, chats)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Erasure returns how far the erasure of a user came, or ErrNotFound.
func (s *Store) Erasure(ctx context.Context, id conversation.UserID) (conversation.Erasure, error) {
	return one[conversation.Erasure](ctx, s, "erasure_get", id)
}

// ClaimErasure leases the erasure that is due longest. Returns ErrNotFound if none is.
func (s *Store) ClaimErasure(ctx context.Context, lease time.Duration) (conversation.ErasureTask, error) {
	rows, err := s.pool.Query(ctx, s.sql.get("erasure_claim"), seconds(lease))
	if err != nil {
		return conversation.ErasureTask{}, platform.Fault(err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[conversation.ErasureTask])
	return t, found(err)
}

// HoldErasure prolongs a lease. Returns ErrLeaseLost if another worker has it.
func (s *Store) HoldErasure(ctx context.Context, t conversation.ErasureTask, lease time.Duration) error {
	return s.handBack(ctx, "erasure_hold", t.User, t.Token, seconds(lease))
}

// PutOffErasure makes an erasure due after the delay, with a cause if it failed. Returns ErrLeaseLost if another worker has it.
func (s *Store) PutOffErasure(ctx context.Context, t conversation.ErasureTask, delay time.Duration, cause string) error {
	failures := 0
	if cause != "" {
		failures = 1
	}
	return s.handBack(ctx, "erasure_put_off", t.User, t.Token, seconds(delay), failures, cause)
}

// AddressesErased notes that channels keeps nothing under the customer's addresses. Returns ErrLeaseLost if another worker has it.
func (s *Store) AddressesErased(ctx context.Context, t conversation.ErasureTask) error {
	return s.handBack(ctx, "erasure_addresses", t.User, t.Token)
}

// ErasureBusy reports whether something is under way that would leave traces behind.
func (s *Store) ErasureBusy(ctx context.Context, t conversation.ErasureTask) (busy bool, err error) {
	talks, err := s.erasedTalks(ctx, s.pool, t)
	if err == nil {
		err = s.pool.QueryRow(ctx, s.sql.get("erasure_busy"), talks, t.User, t.Integration).Scan(&busy)
	}
	return busy, platform.Fault(err)
}

// keepErased is for how long reports on a message come: channels understands them for as long.
const keepErased = 30 * 24 * time.Hour

// PruneErasures forgets that users were erased longer ago.
func (s *Store) PruneErasures(ctx context.Context, older time.Duration) error {
	_, err := s.pool.Exec(ctx, s.sql.get("erasures_prune"), seconds(older), seconds(keepErased))
	return platform.Fault(err)
}
