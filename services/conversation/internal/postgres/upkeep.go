package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
)

// RecordRejections counts refused deliveries and stores the samples, one row each and no body.
func (s *Store) RecordRejections(ctx context.Context, counts []conversation.RejectionCount, samples []conversation.Rejection) error {
	var platforms, reasons []string
	var numbers []int64
	for _, c := range counts {
		platforms, reasons = append(platforms, string(c.Platform)), append(reasons, string(c.Reason))
		numbers = append(numbers, c.Count)
	}
	b := &pgx.Batch{}
	b.Queue(s.sql.get("rejections_count"), platforms, reasons, numbers)
	s.queueSamples(b, samples)
	return s.inTx(ctx, func(tx pgx.Tx) error { return tx.SendBatch(ctx, b).Close() })
}

func (s *Store) queueSamples(b *pgx.Batch, samples []conversation.Rejection) {
	if len(samples) == 0 {
		return
	}
	var ids, platforms, types, repeats, errs, addresses []string
	var statuses []int32
	var digests [][]byte
	for _, r := range samples {
		ids, platforms, types = append(ids, newID()), append(platforms, string(r.Platform)), append(types, "rejected")
		statuses, digests = append(statuses, r.Reason.Status()), append(digests, nil)
		repeats, errs, addresses = append(repeats, ""), append(errs, string(r.Reason)), append(addresses, r.RemoteAddress)
	}
	b.Queue(s.sql.get("logs_insert"), ids, platforms, types, statuses, digests, repeats, errs, addresses)
}

// PruneKeys forgets event keys that are older than any redelivery, a batch at a time, and returns how many.
func (s *Store) PruneKeys(ctx context.Context, older time.Duration, batch int) (int64, error) {
	tag, err := s.pool.Exec(ctx, s.sql.get("keys_prune"), seconds(older), batch)
	return tag.RowsAffected(), platform.Fault(err)
}

// PruneLogs forgets deliveries that are older, with their payloads and events, a batch at a time, and returns how many. Those that
// something still waits in stay; so do the messages that came with them.
func (s *Store) PruneLogs(ctx context.Context, older time.Duration, batch int) (int64, error) {
	var n int64
	err := s.pool.QueryRow(ctx, s.sql.get("logs_prune"), strs(conversation.Platforms()), seconds(older), batch).Scan(&n)
	return n, platform.Fault(err)
}

// ForsakeTurns closes what waits for integrations that are gone for good, their files too.
func (s *Store) ForsakeTurns(ctx context.Context, deleted []conversation.IntegrationID) error {
	b := &pgx.Batch{}
	b.Queue(s.sql.get("turns_forsake"), strs(deleted))
	b.Queue(s.sql.get("fetches_forsake"), strs(deleted))
	return s.inTx(ctx, func(tx pgx.Tx) error { return tx.SendBatch(ctx, b).Close() })
}

// Depth is how much waits.
type Depth struct {
	Turns   int64
	Oldest  float64 // seconds since the first of them was opened
	Overdue float64 // seconds that the first has waited for a worker
	Reports int64
	Files   int64
	Notices int64
	// OldestNotice is how many seconds ago that happened which a subscriber waits longest to be told.
	OldestNotice float64
}

// Depth measures the queues.
func (s *Store) Depth(ctx context.Context) (Depth, error) {
	var d Depth
	err := s.pool.QueryRow(ctx, s.sql.get("queue_depth")).Scan(&d.Turns, &d.Oldest, &d.Overdue, &d.Reports, &d.Files, &d.Notices, &d.OldestNotice)
	return d, platform.Fault(err)
}
