package postgres_test

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/platform/postgres"
)

// shop has as many migrations as are given.
func shop(migrations ...string) postgres.Schema {
	files := fstest.MapFS{}
	for i, sql := range migrations {
		files[fmt.Sprintf("%03d_step.sql", i+1)] = &fstest.MapFile{Data: []byte(sql)}
	}
	return postgres.Schema{Name: "shop", Migrations: files}
}

const (
	createItems = `create table items (id bigint generated always as identity primary key, name text not null);
create function twice(n int) returns int language sql as 'select n * 2';`
	addPrice = `alter table items add column price numeric; insert into items (name) values ('seed');`
)

func open(t *testing.T, u env.Secret, opts ...postgres.Option) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Open(t.Context(), u, append([]postgres.Option{postgres.WithSchema(shop())}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

func scan[T any](t *testing.T, pool *pgxpool.Pool, sql string) (v T) {
	t.Helper()
	require.NoError(t, pool.QueryRow(t.Context(), sql).Scan(&v))
	return v
}

// as replaces the role of a URL.
func as(t *testing.T, u env.Secret, role string) env.Secret {
	t.Helper()
	parsed, err := url.Parse(u.Reveal())
	require.NoError(t, err)
	parsed.User = url.User(role)
	return env.Secret(parsed.String())
}

func TestMigrateTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	for range 2 {
		require.NoError(t, shop(createItems, addPrice).Migrate(t.Context(), u, u))
	}
	pool := open(t, u)
	require.Equal(t, 1, scan[int](t, pool, `select count(*) from items`))
	require.NoError(t, shop(createItems, addPrice).Check(t.Context(), pool))
}

func TestMigrateInParallelRunsEachStepOnce(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { errs[i] = shop(createItems, addPrice).Migrate(t.Context(), u, u) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, 1, scan[int](t, open(t, u), `select count(*) from items`))
}

func TestMigrateInParallelMayBuildIndexesConcurrently(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	indexItems := "---- tern: disable-tx ----\ncreate index concurrently items_name on items (name);"
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() { errs[i] = shop(createItems, indexItems).Migrate(t.Context(), u, u) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, 1, scan[int](t, open(t, u), `select count(*) from pg_index join pg_class on oid = indexrelid where relname = 'items_name' and indisvalid`))
}

// roles returns a superuser's pool and the name of a role to create, which is
// dropped with its _owner after the databases of the test.
func roles(t *testing.T) (*pgxpool.Pool, string) {
	t.Helper()
	admin := open(t, pgtest.URL(t))
	role := scan[string](t, admin, `select current_database()`) // unique
	t.Cleanup(func() {
		_, err := admin.Exec(context.Background(), `drop role if exists `+role+`, `+role+`_owner`)
		require.NoError(t, err)
	})
	return admin, role
}

func TestServingRoleHasRowsOnly(t *testing.T) {
	t.Parallel()
	admin, role := roles(t)
	u := pgtest.URL(t)
	exec := func(pool *pgxpool.Pool, sql string) error {
		_, err := pool.Exec(t.Context(), sql)
		return err
	}
	owner, serving := as(t, u, role+"_owner"), as(t, u, role)

	require.ErrorContains(t, shop(createItems).Migrate(t.Context(), owner, serving), "does not exist")
	require.NoError(t, exec(admin, `create role `+role+`_owner login`))
	require.NoError(t, exec(admin, `create role `+role+` login`))
	require.ErrorContains(t, shop(createItems).Migrate(t.Context(), owner, serving), "permission denied for database")
	require.NoError(t, exec(open(t, u), `create schema shop authorization `+role+`_owner`))
	require.NoError(t, shop(createItems).Migrate(t.Context(), owner, serving), "an existing schema needs no right to create one")

	pool := open(t, serving)
	require.NoError(t, exec(pool, `insert into items (name) values ('x')`))
	require.NoError(t, exec(pool, `update items set name = 'y'`))
	require.Equal(t, 4, scan[int](t, pool, `select twice(2)`))
	require.NoError(t, shop(createItems).Check(t.Context(), pool))
	require.NoError(t, exec(pool, `delete from items`))
	for _, sql := range []string{
		`drop table items`, `create table shop.mine ()`, `truncate items`, `update schema_version set version = 9`,
	} {
		require.ErrorContains(t, exec(pool, sql), "42501", sql)
	}

	require.NoError(t, shop(createItems, `create table more ()`).Migrate(t.Context(), owner, serving))
	require.NoError(t, exec(pool, `select from more`), "new tables are granted too")
}

func TestCheck(t *testing.T) {
	t.Parallel()

	t.Run("MissingSchemaIsRefused", func(t *testing.T) {
		t.Parallel()
		err := shop(createItems).Check(t.Context(), open(t, pgtest.URL(t)))
		require.Equal(t, fault.Precondition, fault.KindOf(err))
		require.ErrorContains(t, err, "the schema \"shop\" is at version 0 and this program needs 1: run this program with the argument `migrate` first")
	})

	t.Run("OlderSchemaIsRefused", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.Database(t, shop(createItems))
		err := shop(createItems, addPrice).Check(t.Context(), pool)
		require.Equal(t, "SCHEMA_OUTDATED", fault.ReasonOf(err))
	})

	t.Run("NewerSchemaIsAcceptedAndLeftAlone", func(t *testing.T) {
		t.Parallel()
		u := pgtest.URL(t, shop(createItems, addPrice))
		require.NoError(t, shop(createItems).Migrate(t.Context(), u, u))
		pool := open(t, u)
		require.NoError(t, shop(createItems).Check(t.Context(), pool))
		require.Equal(t, 2, scan[int](t, pool, `select version from schema_version`))
	})

	t.Run("AbsentDatabaseIsUnavailable", func(t *testing.T) {
		t.Parallel()
		nowhere := env.Secret("postgres://u:hunter2@127.0.0.1:1/x")
		err := shop(createItems).Check(t.Context(), open(t, nowhere))
		require.Equal(t, fault.Unavailable, fault.KindOf(err))
		require.NotContains(t, err.Error(), "hunter2")
		require.True(t, fault.IsKind(shop(createItems).Migrate(t.Context(), nowhere, nowhere), fault.Unavailable))
	})
}

func TestAwait(t *testing.T) {
	t.Parallel()

	t.Run("ReturnsWhatCheckSays", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.Database(t, shop(createItems))
		require.NoError(t, shop(createItems).Await(t.Context(), pool))
		require.Equal(t, fault.Precondition, fault.KindOf(shop(createItems, addPrice).Await(t.Context(), pool)))
	})

	t.Run("EndsWithItsContext", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, shop(createItems).Await(ctx, open(t, "postgres://u@127.0.0.1:1/x")), context.DeadlineExceeded)
	})
}

func TestAFailedMigrationIsRolledBack(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	err := shop(createItems, `create table half (); select 1/0;`).Migrate(t.Context(), u, u)
	require.ErrorContains(t, err, "002_step.sql")
	pool := open(t, u)
	require.Equal(t, 1, scan[int](t, pool, `select version from schema_version`))
	require.True(t, scan[bool](t, pool, `select to_regclass('half') is null`))
}

func TestBadSchemasAreRefused(t *testing.T) {
	t.Parallel()
	u := env.Secret("postgres://u@127.0.0.1:1/x")
	require.ErrorContains(t, postgres.Schema{Name: `x"; drop`, Migrations: fstest.MapFS{}}.Migrate(t.Context(), u, u), "not a name")
	gap := postgres.Schema{Name: "shop", Migrations: fstest.MapFS{"002_b.sql": {Data: []byte("select 1")}}}
	require.ErrorContains(t, gap.Migrate(t.Context(), u, u), "Missing migration 1")
	require.ErrorContains(t, shop(createItems).Migrate(t.Context(), "postgres://u:hunter2@[x", u), "not a PostgreSQL URL")
}
