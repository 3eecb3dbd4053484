package doctor_test

import (
	"fmt"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/platform/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// shop has as many migrations as are given.
func shop(migrations ...string) postgres.Schema {
	files := fstest.MapFS{}
	for n, sql := range migrations {
		files[fmt.Sprintf("%03d_step.sql", n+1)] = &fstest.MapFile{Data: []byte(sql)}
	}
	return postgres.Schema{Name: "shop", Migrations: files}
}

func TestDatabase(t *testing.T) {
	t.Parallel()
	const one, two = `create table items (id int)`, `alter table items add price int`

	states := func(found []doctor.Finding) map[string]doctor.State {
		out := map[string]doctor.State{}
		for _, f := range found {
			out[f.Check] = f.State
			require.NotEmpty(t, f.Summary)
			require.Equal(t, f.State == doctor.Warning || f.State == doctor.Failed, f.Cure != "", "a cure stands where one is needed: %+v", f)
		}
		return out
	}

	t.Run("AllIsWellAfterMigrating", func(t *testing.T) {
		t.Parallel()
		found := doctor.Database(t.Context(), pgtest.Database(t, shop(one, two)), shop(one, two))
		require.Equal(t, map[string]doctor.State{
			"database": doctor.OK, "database.schema": doctor.OK, "database.clock": doctor.OK,
		}, states(found))
	})

	t.Run("OlderSchemaFailsAndNewerOneWarns", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.Database(t, shop(one))
		older := doctor.Database(t.Context(), pool, shop(one, two))
		require.Equal(t, doctor.Failed, states(older)["database.schema"])
		require.Contains(t, older[1].Cure, "migrate")
		newer := doctor.Database(t.Context(), pool, shop())
		require.Equal(t, doctor.Warning, states(newer)["database.schema"])
	})

	t.Run("DatabaseThatIsAwayIsTheOnlyFinding", func(t *testing.T) {
		t.Parallel()
		pool, err := postgres.Open(t.Context(), env.Secret("postgres://canary:canary@127.0.0.1:1/nothing"))
		require.NoError(t, err)
		t.Cleanup(pool.Close)
		found := doctor.Database(t.Context(), pool, shop(one))
		require.Equal(t, map[string]doctor.State{"database": doctor.Failed}, states(found))
		require.Contains(t, found[0].Cure, "KNOBOT_DATABASE_URL")
		require.NotContains(t, found[0].Summary+found[0].Cure, "canary")
	})
}

func TestClock(t *testing.T) {
	t.Parallel()
	for skew, want := range map[time.Duration]doctor.State{
		0: doctor.OK, 29 * time.Second: doctor.OK, -29 * time.Second: doctor.OK, 31 * time.Second: doctor.Failed, -time.Hour: doctor.Failed,
	} {
		require.Equal(t, want, doctor.Clock("clock", "Meta", skew).State, skew)
	}
	require.Contains(t, doctor.Clock("clock", "Meta", time.Minute).Summary, "1m0s behind Meta")
	require.Contains(t, doctor.Clock("clock", "Meta", -time.Minute).Summary, "1m0s ahead of Meta")
}
