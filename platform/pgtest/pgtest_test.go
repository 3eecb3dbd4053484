package pgtest_test

import (
	"fmt"
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/platform/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

func notes() postgres.Schema {
	return postgres.Schema{Name: "notes", Migrations: fstest.MapFS{
		"001_notes.sql": {Data: []byte(`create table notes (body text);`)},
	}}
}

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			pool := pgtest.Database(t, notes())
			_, err := pool.Exec(t.Context(), `insert into notes values ('mine')`)
			require.NoError(t, err)
			var n int
			require.NoError(t, pool.QueryRow(t.Context(), `select count(*) from notes`).Scan(&n))
			require.Equal(t, 1, n)
		})
	}
}

func TestDatabaseIsDroppedAtTheEnd(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("test", func(t *testing.T) {
		pool := pgtest.Database(t, notes())
		require.NoError(t, pool.QueryRow(t.Context(), `select current_database()`).Scan(&name))
	})
	var left int
	pool := pgtest.Database(t, notes())
	require.NoError(t, pool.QueryRow(t.Context(), `select count(*) from pg_database where datname = $1`, name).Scan(&left))
	require.Zero(t, left)
}

func TestURLTakesSeveralSchemas(t *testing.T) {
	t.Parallel()
	other := postgres.Schema{Name: "other", Migrations: fstest.MapFS{
		"001_things.sql": {Data: []byte(`create table things ();`)},
	}}
	pool, err := postgres.Open(t.Context(), pgtest.URL(t, notes(), other))
	require.NoError(t, err)
	defer pool.Close()
	_, err = pool.Exec(t.Context(), `select from notes.notes, other.things`)
	require.NoError(t, err)
}
