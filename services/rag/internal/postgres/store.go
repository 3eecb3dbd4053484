// Package postgres keeps knowledge bases, documents and passages in the rag service's schema. Every error it returns is
// one of package fault, or a driver's that says nothing to callers.
package postgres

import (
	"context"
	"errors"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/knobot/knobot/platform/fault"
	pg "github.com/knobot/knobot/platform/postgres"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/migrations"
)

// Schema is the rag service's part of the database.
func Schema() pg.Schema { return pg.Schema{Name: "rag", Migrations: migrations.Files()} }

// Store is the database. It is safe for concurrent use.
type Store struct {
	pool     *pgxpool.Pool
	contents *lru.Cache[rag.PassageID, content]
	known    *known
}

// keptContents is how many passages are kept in memory, some 3 kB each.
const keptContents = 8_192

// NewStore returns a store over a pool whose search path is the schema's.
func NewStore(pool *pgxpool.Pool) *Store {
	contents, err := lru.New[rag.PassageID, content](keptContents)
	if err != nil {
		panic(err) // of a size below one only
	}
	return &Store{pool: pool, contents: contents, known: newKnown()}
}

// within runs f in a transaction.
func (s *Store) within(ctx context.Context, f func(tx pgx.Tx) error) error {
	return failure(pgx.BeginFunc(ctx, s.pool, f))
}

// failure marks an unavailable database as such and leaves other errors as they are.
func failure(err error) error { return pg.Fault(err) }

func isNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// isAbsent also covers a name that PostgreSQL cannot hold, as one with a NUL character: nothing is called so.
func isAbsent(err error) bool { return isNoRows(err) || pg.IsRefused(err) }

func noKnowledgeBase() error {
	return fault.New(fault.NotFound, "KNOWLEDGE_BASE_NOT_FOUND", "there is no knowledge base of this name")
}

func noDocument() error {
	return fault.New(fault.NotFound, "DOCUMENT_NOT_FOUND", "there is no document with this id")
}
