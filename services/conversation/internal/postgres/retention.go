package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// expireTalks is how many conversations are looked into at a time.
const expireTalks = 100

// Integrations returns those that have conversations, known to channels or not any more.
func (s *Store) Integrations(ctx context.Context) ([]conversation.IntegrationID, error) {
	rows, err := s.pool.Query(ctx, s.sql.get("retention_integrations"))
	if err != nil {
		return nil, platform.Fault(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[conversation.IntegrationID])
	return out, platform.Fault(err)
}

// ExpireMessages removes a batch of an integration's messages that are older, and conversations of which nothing is left. It
// returns how many of both. What is being answered stays.
func (s *Store) ExpireMessages(ctx context.Context, id conversation.IntegrationID, older time.Duration, batch int) (int64, error) {
	var n int64
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, s.sql.get("retention_conversations"), id, seconds(older), expireTalks)
		if err != nil {
			return err
		}
		talks, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(talks) == 0 {
			return err
		}
		if err := tx.QueryRow(ctx, s.sql.get("retention_messages"), talks, seconds(older), batch).Scan(&n); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, s.sql.get("conversations_still_held"), talks); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, s.sql.get("retention_empty"), talks, seconds(older))
		n += tag.RowsAffected()
		return err
	})
	return n, err
}

// ExpirePayloads empties the bodies of an integration's deliveries that are older, a batch of a platform's after a place, nil for
// the first. It returns how many, and the place to go on from, nil if there was nothing to look at.
func (s *Store) ExpirePayloads(
	ctx context.Context, in conversation.Integration, older time.Duration, after *conversation.Cursor, batch int,
) (int64, *conversation.Cursor, error) {
	if after == nil {
		after = &conversation.Cursor{ID: firstID}
	}
	var n int64
	var next conversation.Cursor
	err := s.pool.QueryRow(ctx, s.sql.get("retention_payloads"), in.Platform, in.ID, seconds(older), after.Time, after.ID, batch).
		Scan(&n, &next.ID, &next.Time)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil, nil
	}
	return n, &next, platform.Fault(err)
}
