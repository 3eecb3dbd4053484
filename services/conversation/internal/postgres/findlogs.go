package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// Logs lists deliveries, newest first, without payloads and events. They are found by whichever filter leaves least.
func (s *Store) Logs(ctx context.Context, f conversation.LogFilter) ([]conversation.WebhookLog, error) {
	statement, args := find(f)
	rows, err := s.pool.Query(ctx, s.sql.get(statement), args...)
	if err != nil {
		return nil, platform.Fault(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[conversation.LogID])
	if err != nil || len(ids) == 0 {
		return nil, platform.Fault(err)
	}
	rows, err = s.pool.Query(ctx, s.sql.get("logs_list"), strs(ids))
	if err != nil {
		return nil, platform.Fault(err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (conversation.WebhookLog, error) { return scanLog(row) })
	return out, platform.Fault(err)
}

// find names the statement that finds deliveries, and what it asks for.
func find(f conversation.LogFilter) (statement string, args []any) {
	platforms := strs(conversation.Platforms())
	if f.Platform != "" {
		platforms = []string{string(f.Platform)}
	}
	switch odd := f.Outcome != "" && !f.Outcome.Usual(); {
	case odd || f.Integration != "":
		statement = "logs_by_integration"
		if odd {
			statement = "logs_by_odd_outcome"
		}
		below, from := idsOf(f)
		return statement, []any{f.Integration, below, from, f.Outcome, platforms, f.Range.From, until(f.Range), f.EventType, f.Limit}
	default:
		from := start(f.After)
		if end := until(f.Range); !from.Time.Before(end) {
			from = conversation.Cursor{Time: end, ID: noID}
		}
		args = []any{platforms, from.Time, from.ID, f.Range.From, f.Outcome, f.Limit}
		if f.EventType != "" {
			return "logs_by_type", append(args, f.EventType)
		}
		return "logs_by_time", args
	}
}

// noID is below every id.
const noID = "00000000-0000-0000-0000-000000000000"

// clockSlack is how far the clock that makes ids may be from the database's.
const clockSlack = time.Minute

// idsOf returns the bounds of the ids of what a filter asks for: all below the first, none below the second.
func idsOf(f conversation.LogFilter) (below, from string) {
	below, from = start(f.After).ID, noID
	if !f.Range.Until.IsZero() {
		below = min(below, idAt(f.Range.Until.Add(clockSlack)))
	}
	if !f.Range.From.IsZero() {
		from = idAt(f.Range.From.Add(-clockSlack))
	}
	return below, from
}

// idAt is the lowest UUID of version 7 that is made at a time.
func idAt(t time.Time) string {
	digits := fmt.Sprintf("%012x", uint64(max(t.UnixMilli(), 0))&(1<<48-1))
	return digits[:8] + "-" + digits[8:] + noID[13:]
}

// until is the end of a range, far away where it has none.
func until(r conversation.TimeRange) time.Time {
	if r.Until.IsZero() {
		return start(nil).Time
	}
	return r.Until
}
