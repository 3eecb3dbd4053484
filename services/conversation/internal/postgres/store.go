// Package postgres stores what the conversation service keeps: deliveries and their events, users, conversations, messages,
// and the mailbox. Statements lie in sql/, one file each. Lock order everywhere: conversation, then turn.
package postgres

import (
	"context"
	"embed"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	platform "github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/migrations"
)

//go:embed sql/*.sql
var files embed.FS

// statements holds the text of each file of sql/ by name.
type statements map[string]string

func load() statements {
	entries, err := files.ReadDir("sql")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	all := statements{}
	for _, e := range entries {
		text, err := files.ReadFile("sql/" + e.Name())
		if err != nil {
			panic(err)
		}
		all[strings.TrimSuffix(e.Name(), ".sql")] = string(text)
	}
	return all
}

// get returns a statement. A wrong name is a fault of the program, found by the first test that comes along.
func (s statements) get(name string) string {
	text, ok := s[name]
	if !ok {
		panic("no statement " + name)
	}
	return text
}

// Settings are the times that the store goes by.
type Settings struct {
	// IdleAfter is how long a conversation may be silent before its next message opens a new one.
	IdleAfter time.Duration
	// LongestWait is how long a burst may put its answer off.
	LongestWait time.Duration
}

// Store is the service's part of the database. It implements conversation.Mailbox.
type Store struct {
	pool     *pgxpool.Pool
	sql      statements
	settings Settings
}

// NewStore returns a store over a pool whose search path is the service's schema.
func NewStore(pool *pgxpool.Pool, settings Settings) *Store {
	return &Store{pool: pool, sql: load(), settings: settings}
}

// Schema returns the service's schema.
func Schema() platform.Schema {
	return platform.Schema{Name: migrations.Schema, Migrations: migrations.FS}
}

const maxTries = 6

// inTx runs f in a transaction, and again when PostgreSQL broke it off to let another one pass.
func (s *Store) inTx(ctx context.Context, f func(tx pgx.Tx) error) error {
	return s.again(ctx, func() error { return pgx.BeginFunc(ctx, s.pool, f) })
}

// quickly is inTx for what begins with its first batch.
func (s *Store) quickly(ctx context.Context, f func(tx *platform.QuickTx) error) error {
	return s.again(ctx, func() error { return platform.Quickly(ctx, s.pool, f) })
}

// again runs a transaction, and again when PostgreSQL broke it off to let another one pass.
func (s *Store) again(ctx context.Context, transact func() error) error {
	for try := 1; ; try++ {
		err := transact()
		if err == nil || !passing(err) || try == maxTries {
			return platform.Fault(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(conversation.Jitter(time.Duration(try) * 10 * time.Millisecond)):
		}
	}
}

// passing knows what a second try cures: a deadlock, a serialisation failure, and a unique key that another transaction took, or
// a user whom it erased, after ours had looked.
func passing(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "23505" || pg.Code == "23503")
}

// found turns an empty result into the domain's word for it.
func found(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return conversation.ErrNotFound
	}
	return platform.Fault(err)
}

// seconds is how durations travel into statements.
func seconds(d time.Duration) float64 { return d.Seconds() }

// strs gives typed ids the type that the driver knows.
func strs[T ~string](ids []T) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}

// ago returns a moment of the database's clock, or zero for null.
func ago(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
