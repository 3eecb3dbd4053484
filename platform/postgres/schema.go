package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/tern/v2/migrate"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/fault"
)

// Schema is a service's part of the database and how to build it.
type Schema struct {
	Name       string // lower case letters, digits and '_'
	Migrations fs.FS  // 001_name.sql, 002_name.sql … in tern's format, at the root
}

const versionTable = "schema_version"

var validName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

func (s Schema) searchPath() string { return s.Name + ",public" }

func (s Schema) table() string { return s.Name + "." + versionTable }

// latest is the version that this program was built for.
func (s Schema) latest() (int, error) {
	if !validName.MatchString(s.Name) {
		return 0, fmt.Errorf("schema %q: not a name", s.Name)
	}
	files, err := migrate.FindMigrations(s.Migrations)
	if err != nil {
		return 0, fmt.Errorf("schema %s: %w", s.Name, err)
	}
	return len(files), nil
}

// Migrate creates the schema if it is missing, runs the migrations that it has
// not seen and grants rows, sequences and functions to the role of servingURL
// if that is another one than ownerURL's. Any number of callers may do it at
// once: one works, the others wait. A newer schema is left as it is. An
// unavailable database gives fault.Unavailable.
func (s Schema) Migrate(ctx context.Context, ownerURL, servingURL env.Secret) error {
	latest, err := s.latest()
	if err != nil {
		return err
	}
	role, err := servingRole(ownerURL, servingURL)
	if err != nil {
		return err
	}
	conn, err := s.connect(ctx, ownerURL)
	if err != nil {
		return Fault(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // gives the lock back too
	if err := s.migrate(ctx, conn, latest, role); err != nil {
		return Fault(fmt.Errorf("schema %s: %w", s.Name, err))
	}
	return nil
}

func (s Schema) connect(ctx context.Context, url env.Secret) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(url.Reveal())
	if err != nil {
		return nil, errMalformed
	}
	prepare(cfg)
	cfg.RuntimeParams["search_path"] = s.searchPath()
	return pgx.ConnectConfig(ctx, cfg)
}

// migrate works under a lock of our own: tern's covers its migrations only,
// not the making of the schema and of the version table.
func (s Schema) migrate(ctx context.Context, conn *pgx.Conn, latest int, role string) error {
	if err := s.lock(ctx, conn); err != nil {
		return err
	}
	if err := s.create(ctx, conn); err != nil {
		return err
	}
	m, err := migrate.NewMigrator(ctx, conn, s.table())
	if err != nil {
		return err
	}
	if err := s.load(m); err != nil {
		return err
	}
	current, err := m.GetCurrentVersion(ctx)
	if err != nil {
		return err
	}
	if int(current) > latest {
		return nil // a newer program was here, and knows its own grants
	}
	if err := m.Migrate(ctx); err != nil {
		return err
	}
	return s.grant(ctx, conn, role)
}

// dropBelow divides a file of tern's into the way there and the way back.
const dropBelow = "---- create above / drop below ----"

// load gives a migrator the files as they are. tern's own LoadMigrations takes them for templates, and a program that can reach
// text/template holds every method of every type: 4 to 12 MB of them (docs/architecture/performance.md).
func (s Schema) load(m *migrate.Migrator) error {
	files, err := migrate.FindMigrations(s.Migrations)
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := fs.ReadFile(s.Migrations, file)
		if err != nil {
			return err
		}
		up, down, _ := strings.Cut(string(text), dropBelow)
		m.AppendMigration(file, strings.TrimSpace(up), strings.TrimSpace(down))
	}
	return nil
}

// lockEvery is how often a migration asks whether another one is done.
const lockEvery = 100 * time.Millisecond

// lock asks again and again: who waits inside a statement holds a snapshot, and `create index concurrently` of the one that
// works would wait for it for ever.
func (s Schema) lock(ctx context.Context, conn *pgx.Conn) error {
	for {
		var ours bool
		err := conn.QueryRow(ctx, `select pg_try_advisory_lock(hashtextextended('knobot schema ' || $1::text, 0))`, s.Name).Scan(&ours)
		if err != nil || ours {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockEvery):
		}
	}
}

// create asks first: an owner need not have the right to create schemas.
func (s Schema) create(ctx context.Context, conn *pgx.Conn) error {
	var exists bool
	err := conn.QueryRow(ctx, `select exists (select from pg_namespace where nspname = $1)`, s.Name).Scan(&exists)
	if err != nil || exists {
		return err
	}
	_, err = conn.Exec(ctx, `create schema `+s.Name)
	return err
}

func servingRole(ownerURL, servingURL env.Secret) (string, error) {
	owner, err := pgx.ParseConfig(ownerURL.Reveal())
	if err != nil {
		return "", errMalformed
	}
	if !servingURL.IsSet() {
		return "", nil
	}
	serving, err := pgx.ParseConfig(servingURL.Reveal())
	if err != nil {
		return "", errMalformed
	}
	if serving.User == owner.User {
		return "", nil
	}
	return serving.User, nil
}

// grant lets role work with rows and nothing else. Each migration run grants
// again, so that new tables need no default privileges.
func (s Schema) grant(ctx context.Context, conn *pgx.Conn, role string) error {
	if role == "" {
		return nil
	}
	to := pgx.Identifier{role}.Sanitize()
	for _, stmt := range []string{
		`grant usage on schema %[1]s to %[2]s`,
		`grant select, insert, update, delete on all tables in schema %[1]s to %[2]s`,
		`grant usage, select on all sequences in schema %[1]s to %[2]s`,
		`grant execute on all functions in schema %[1]s to %[2]s`,
		`revoke insert, update, delete on %[1]s.` + versionTable + ` from %[2]s`,
	} {
		if _, err := conn.Exec(ctx, fmt.Sprintf(stmt, s.Name, to)); err != nil {
			return fmt.Errorf("rights of the serving role: %w", err)
		}
	}
	return nil
}

// Check compares the schema with what this program was built for. An older one
// gives fault.Precondition and a sentence that names the cure, a newer one is
// accepted, an unavailable database gives fault.Unavailable.
func (s Schema) Check(ctx context.Context, pool *pgxpool.Pool) error {
	v, err := s.Versions(ctx, pool)
	if err != nil {
		return err
	}
	if v.Stored < v.Needed {
		return fault.Newf(fault.Precondition, "SCHEMA_OUTDATED",
			"the schema %q is at version %d and this program needs %d: run this program with the argument `migrate` first",
			s.Name, v.Stored, v.Needed)
	}
	return nil
}

// Versions are the version that the database has, 0 where nothing was ever
// migrated, and the one that this program was built for.
type Versions struct{ Stored, Needed int }

// Versions reads them. An unavailable database gives fault.Unavailable.
func (s Schema) Versions(ctx context.Context, pool *pgxpool.Pool) (Versions, error) {
	latest, err := s.latest()
	if err != nil {
		return Versions{}, err
	}
	current, err := s.version(ctx, pool)
	if err != nil {
		return Versions{}, Fault(fmt.Errorf("schema %s: %w", s.Name, err))
	}
	return Versions{Stored: current, Needed: latest}, nil
}

// Await is Check, tried again every second while the database is unavailable.
// As background work it keeps a service's start independent of the database.
func (s Schema) Await(ctx context.Context, pool *pgxpool.Pool) error {
	for {
		err := s.Check(ctx, pool)
		if !fault.IsKind(err, fault.Unavailable) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// version is 0 where nothing was ever migrated.
func (s Schema) version(ctx context.Context, pool *pgxpool.Pool) (int, error) {
	var v int
	err := pool.QueryRow(ctx, `select version from `+s.table()).Scan(&v)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "42P01" || pg.Code == "3F000") { // no such table, no such schema
		return 0, nil
	}
	return v, err
}
