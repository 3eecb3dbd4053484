// Package postgres keeps integrations, deliveries and pauses in PostgreSQL. Secrets are sealed on the way in and opened on
// the way out, so that nothing else in the service sees a ciphertext and nothing in the database is in clear.
package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/services/channels/migrations"
)

// Schema is this service's part of the database.
func Schema() postgres.Schema { return postgres.Schema{Name: "channels", Migrations: migrations.FS} }

// Store is the service's database.
type Store struct {
	pool   *pgxpool.Pool
	sealer *sealing.Sealer
	// known are the integrations that were read, seen by id.
	known sync.Map
}

// NewStore returns a store on a pool whose schema is migrated.
func NewStore(pool *pgxpool.Pool, sealer *sealing.Sealer) *Store {
	return &Store{pool: pool, sealer: sealer}
}

// transact runs f in a transaction.
func (s *Store) transact(ctx context.Context, f func(tx pgx.Tx) error) error {
	return postgres.Fault(pgx.BeginFunc(ctx, s.pool, f))
}

// failed says what failed; an unavailable database is a fault that callers try again.
func failed(what string, err error) error { return postgres.Fault(fmt.Errorf("%s: %w", what, err)) }

// Exclusively runs f while no other replica runs one under the same name. The lock belongs to a transaction, because a
// session lock does not survive a pooler in transaction mode; f itself uses other connections.
func (s *Store) Exclusively(ctx context.Context, name string, f func(ctx context.Context) error) error {
	return s.transact(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended($1, 0))`, "channels/"+name)
		if err != nil {
			return failed("lock "+name, err)
		}
		return f(ctx)
	})
}
