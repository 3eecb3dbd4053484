package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// Limit stores which open messages are too much.
func (s *Store) Limit(ctx context.Context, t conversation.Turn, tell, silent []conversation.MessageID) error {
	return s.quickly(ctx, func(tx *platform.QuickTx) error {
		if _, err := s.lock(ctx, tx, tx.Begin(), t); err != nil {
			return err
		}
		b := &pgx.Batch{}
		b.Queue(s.sql.get("limit_tell"), strs(tell))
		b.Queue(s.sql.get("limit_record"), strs(silent))
		tx.Commit(b)
		return tx.SendBatch(ctx, b).Close()
	})
}
