package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// start is a place before the newest row of any list.
func start(after *conversation.Cursor) conversation.Cursor {
	if after != nil {
		return *after
	}
	return conversation.Cursor{
		Time: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), ID: "ffffffff-ffff-ffff-ffff-ffffffffffff",
	}
}

// scanLog sums a delivery up over its events. It is processed once its last event is.
func scanLog(row pgx.Row, more ...any) (conversation.WebhookLog, error) {
	var l conversation.WebhookLog
	var own string
	var processed *time.Time
	var unfinished int
	err := row.Scan(append([]any{
		&l.ID, &l.Platform, &l.EventType, &l.ResponseStatus, &own, &l.RemoteAddress, &l.DuplicateOf, &l.CreateTime,
		&l.Response, &l.ErrorMessage, &processed, &unfinished,
	}, more...)...)
	if l.ErrorMessage == "" {
		l.ErrorMessage = own
	}
	switch {
	case unfinished > 0:
	case processed != nil:
		l.ProcessedTime = *processed
	default:
		l.ProcessedTime = l.CreateTime // nothing in it to wait for
	}
	return l, err
}

// Log returns a delivery with its payload and events.
func (s *Store) Log(ctx context.Context, id conversation.LogID) (conversation.WebhookLog, error) {
	var body []byte
	l, err := scanLog(s.pool.QueryRow(ctx, s.sql.get("log_get"), id), &body)
	if err != nil {
		return l, found(err)
	}
	l.Payload = body
	rows, err := s.pool.Query(ctx, s.sql.get("log_events"), id)
	if err != nil {
		return l, platform.Fault(err)
	}
	l.Events, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e conversation.LoggedEvent, err error) {
		var processed *time.Time
		err = row.Scan(&e.Ordinal, &e.Integration, &e.Kind, &e.Message, &e.Outcome, &e.Error, &e.Response, &processed)
		e.ProcessedTime = ago(processed)
		return e, err
	})
	return l, platform.Fault(err)
}

// CountLogs counts deliveries by platform.
func (s *Store) CountLogs(ctx context.Context, r conversation.TimeRange) ([]conversation.PlatformCount, error) {
	return counted[conversation.PlatformCount](ctx, s, "logs_count", r)
}

// CountOutcomes counts what became of the events of deliveries, the most frequent first.
func (s *Store) CountOutcomes(ctx context.Context, r conversation.TimeRange) ([]conversation.OutcomeCount, error) {
	return counted[conversation.OutcomeCount](ctx, s, "outcomes_count", r)
}

func counted[T any](ctx context.Context, s *Store, statement string, r conversation.TimeRange) ([]T, error) {
	rows, err := s.pool.Query(ctx, s.sql.get(statement), strs(conversation.Platforms()), r.From, until(r))
	if err != nil {
		return nil, platform.Fault(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	return out, platform.Fault(err)
}
