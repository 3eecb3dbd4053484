package localpg

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// EnsureDatabase creates a database, unless it exists.
func (s *Server) EnsureDatabase(ctx context.Context, name string) error {
	return s.ensure(ctx, `select exists (select from pg_database where datname = $1)`, name,
		`create database `+quote(name))
}

// EnsureRole creates a role that may log in, unless it exists.
func (s *Server) EnsureRole(ctx context.Context, name string) error {
	return s.ensure(ctx, `select exists (select from pg_roles where rolname = $1)`, name,
		`create role `+quote(name)+` login`)
}

// AllowSchemas lets a role create schemas in a database, which an owner needs
// for its first migration.
func (s *Server) AllowSchemas(ctx context.Context, database, role string) error {
	return s.exec(ctx, `grant create on database `+quote(database)+` to `+quote(role))
}

func (s *Server) ensure(ctx context.Context, exists, name, create string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres").Reveal())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var found bool
	if err := conn.QueryRow(ctx, exists, name).Scan(&found); err != nil || found {
		return err
	}
	if _, err = conn.Exec(ctx, create); existsBy(err) {
		return nil
	}
	return err
}

// existsBy says that somebody else created it between our question and our command.
func existsBy(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case "42710", "42P04", "23505": // duplicate object, duplicate database, unique violation in the catalogue
		return true
	}
	return false
}

func (s *Server) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres").Reveal())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
