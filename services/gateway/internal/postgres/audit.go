package postgres

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	gateway "github.com/knobot/knobot/services/gateway"
)

const (
	insertEntry = `insert into audit_entries (caller, caller_name, method, address, code, reason, request_id)
values ($1, $2, $3, $4, $5, $6, $7)`

	listEntries = `select id, create_time, caller, caller_name, method, address, code, reason, request_id
from audit_entries where id < $1 order by id desc limit $2`

	pruneEntries = `delete from audit_entries where id in (
    select id from audit_entries where create_time < now() - $1::interval order by create_time limit $2)`
)

const (
	// pruneBatch keeps each deletion short.
	pruneBatch    = 1000
	housekeepEach = time.Hour
)

// Record stores an entry; its id and time are the database's.
func (s *Store) Record(ctx context.Context, e gateway.AuditEntry) error {
	_, err := s.db.Exec(ctx, insertEntry, e.Caller, e.CallerName, e.Method, e.Address, e.Code, e.Reason, e.RequestID)
	if err != nil {
		return failed("store audit entry", err)
	}
	return nil
}

// Entries lists entries, newest first, before the one with an id; 0 for the first page.
func (s *Store) Entries(ctx context.Context, before int64, limit int) ([]gateway.AuditEntry, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := s.db.Query(ctx, listEntries, before, limit)
	if err != nil {
		return nil, failed("list audit entries", err)
	}
	entries, err := pgx.CollectRows(rows, pgx.RowToStructByPos[gateway.AuditEntry])
	if err != nil {
		return nil, failed("list audit entries", err)
	}
	return entries, nil
}

// PruneEntries forgets at most limit entries that are older than keep, and says how many.
func (s *Store) PruneEntries(ctx context.Context, keep time.Duration, limit int) (int64, error) {
	tag, err := s.db.Exec(ctx, pruneEntries, keep, limit)
	if err != nil {
		return 0, failed("prune audit entries", err)
	}
	return tag.RowsAffected(), nil
}

// RunHousekeeping forgets what is older than keep, until ctx ends.
func (s *Store) RunHousekeeping(ctx context.Context, keep time.Duration, log *zap.Logger) error {
	ticker := time.NewTicker(housekeepEach)
	defer ticker.Stop()
	for {
		if err := s.prune(ctx, keep); err != nil && ctx.Err() == nil {
			log.Warn("housekeeping failed", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (s *Store) prune(ctx context.Context, keep time.Duration) error {
	for {
		if pruned, err := s.PruneEntries(ctx, keep, pruneBatch); err != nil || pruned < pruneBatch {
			return err
		}
	}
}
