package postgres_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/platform/postgres"
)

func TestQuickly(t *testing.T) {
	t.Parallel()

	setup := func(t *testing.T) (pool *pgxpool.Pool, rows func() int) {
		t.Helper()
		pool = open(t, pgtest.URL(t))
		_, err := pool.Exec(t.Context(), `create table quick (n int primary key)`)
		require.NoError(t, err)
		return pool, func() (n int) {
			require.NoError(t, pool.QueryRow(t.Context(), `select count(*) from quick`).Scan(&n))
			return n
		}
	}
	insert := func(t *testing.T, pool *pgxpool.Pool, commit bool, last string, result error) error {
		t.Helper()
		return postgres.Quickly(t.Context(), pool, func(tx *postgres.QuickTx) error {
			b := tx.Begin()
			b.Queue(`insert into quick values (1)`)
			if err := tx.SendBatch(t.Context(), b).Close(); err != nil {
				return err
			}
			b = &pgx.Batch{}
			b.Queue(last)
			if commit {
				tx.Commit(b)
			}
			if err := tx.SendBatch(t.Context(), b).Close(); err != nil {
				return err
			}
			return result
		})
	}

	t.Run("CommitsWithTheLastBatchOrAfterIt", func(t *testing.T) {
		t.Parallel()
		for _, commit := range []bool{true, false} {
			pool, rows := setup(t)
			require.NoError(t, insert(t, pool, commit, `insert into quick values (2)`, nil))
			require.Equal(t, 2, rows())
		}
	})

	t.Run("FailureLeavesNothingBehind", func(t *testing.T) {
		t.Parallel()
		pool, rows := setup(t)
		refused := errors.New("refused")
		require.ErrorIs(t, insert(t, pool, false, `insert into quick values (2)`, refused), refused)
		for _, commit := range []bool{true, false} {
			require.ErrorContains(t, insert(t, pool, commit, `insert into quick values (1)`, nil), "23505")
		}
		require.Zero(t, rows())
		require.Zero(t, pool.Stat().AcquiredConns())
	})
}
