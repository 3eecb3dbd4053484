package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// QuickTx is a transaction that begins with its first batch and commits with its last, which spares two round trips.
type QuickTx struct {
	*pgxpool.Conn
	committed bool
}

// rollbackTimeout bounds giving up. A connection that does not answer by then is thrown away, and PostgreSQL rolls back.
const rollbackTimeout = 2 * time.Second

// Quickly runs f, which starts with Begin. What f has not committed with its last batch is committed after it, or rolled back if it
// fails.
func Quickly(ctx context.Context, pool *pgxpool.Pool, f func(tx *QuickTx) error) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release() // the pool throws away one that is still in a transaction
	tx := &QuickTx{Conn: conn}
	if err := f(tx); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_, _ = conn.Exec(ctx, "rollback")
		return err
	}
	if tx.committed {
		return nil
	}
	tag, err := conn.Exec(ctx, "commit")
	if err != nil {
		return err
	}
	return committed(tag)
}

// Begin returns the first batch.
func (tx *QuickTx) Begin() *pgx.Batch {
	b := &pgx.Batch{}
	b.Queue("begin")
	return b
}

// Commit makes a batch the last one.
func (tx *QuickTx) Commit(b *pgx.Batch) {
	b.Queue("commit").Exec(func(tag pgconn.CommandTag) error {
		tx.committed = true
		return committed(tag)
	})
}

// committed tells a commit from the rollback that PostgreSQL makes of one in a failed transaction, without an error.
func committed(tag pgconn.CommandTag) error {
	if tag.String() != "COMMIT" {
		return pgx.ErrTxCommitRollback
	}
	return nil
}
