// Package postgres keeps the keys of the management API and the audit of its use in PostgreSQL.
package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/gateway/migrations"
)

// Schema is this service's part of the database.
func Schema() postgres.Schema { return postgres.Schema{Name: "gateway", Migrations: migrations.FS} }

// database is what the store needs of a pool.
type database interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Store is the service's database.
type Store struct{ db database }

// NewStore returns a store on a pool whose schema is migrated.
func NewStore(pool *pgxpool.Pool) *Store { return &Store{db: pool} }

// NoStore is the store of a gateway without a database: everything fails with DATABASE_NOT_CONFIGURED.
func NoStore() *Store { return &Store{db: none{}} }

type none struct{}

func errNone() error {
	return fault.New(fault.Precondition, "DATABASE_NOT_CONFIGURED", "the gateway has no database for keys and audit: set KNOBOT_DATABASE_URL")
}

// Query refuses.
func (none) Query(context.Context, string, ...any) (pgx.Rows, error) { return nil, errNone() }

// Exec refuses.
func (none) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, errNone()
}

// failed says what failed; an unavailable database is a fault that callers try again.
func failed(what string, err error) error { return postgres.Fault(fmt.Errorf("%s: %w", what, err)) }
