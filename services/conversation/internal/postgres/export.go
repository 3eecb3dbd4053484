package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// firstID is before every id.
const firstID = "00000000-0000-0000-0000-000000000000"

// FormerIDs returns the ids that a user had before.
func (s *Store) FormerIDs(ctx context.Context, id conversation.UserID) ([]string, error) {
	rows, err := s.pool.Query(ctx, s.sql.get("export_identities"), id)
	if err != nil {
		return nil, platform.Fault(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return out, platform.Fault(err)
}

// ExportedConversations lists what a user takes part in by id, after one, empty for the first page.
func (s *Store) ExportedConversations(
	ctx context.Context, u conversation.User, after conversation.ID, limit int,
) ([]conversation.ExportedConversation, error) {
	task := conversation.ErasureTask{User: u.ID, Integration: u.Integration, Platform: u.Platform, ExternalIDs: []string{u.ExternalID}}
	talks, err := s.erasedTalks(ctx, s.pool, task)
	if err != nil {
		return nil, platform.Fault(err)
	}
	if after == "" {
		after = firstID
	}
	rows, err := s.pool.Query(ctx, s.sql.get("export_conversations"), talks, u.ID, after, u.Integration, limit)
	if err != nil {
		return nil, platform.Fault(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[conversation.ExportedConversation])
	return out, platform.Fault(err)
}

// ExportedMessages lists the messages of a conversation in their order, after a position, with where they came from.
func (s *Store) ExportedMessages(
	ctx context.Context, id conversation.ID, user conversation.UserID, after int64, limit int,
) ([]conversation.ExportedMessage, error) {
	said, err := s.Messages(ctx, id, after, limit)
	if err != nil || len(said) == 0 {
		return nil, err
	}
	out, place, ids := make([]conversation.ExportedMessage, len(said)), map[string]int{}, make([]string, len(said))
	for i, m := range said {
		out[i].Message, place[string(m.ID)], ids[i] = m, i, string(m.ID)
	}
	rows, err := s.pool.Query(ctx, s.sql.get("export_origins"), ids, user)
	if err != nil {
		return nil, platform.Fault(err)
	}
	var message string
	var origin conversation.ExportedMessage
	_, err = pgx.ForEachRow(rows, []any{&message, &origin.Own, &origin.Webhooks}, func() error {
		m := &out[place[message]]
		m.Own, m.Webhooks, origin.Webhooks = origin.Own, origin.Webhooks, nil
		return nil
	})
	return out, platform.Fault(err)
}
