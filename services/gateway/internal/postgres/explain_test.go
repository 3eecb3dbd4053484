package postgres

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// TestHotStatementsUseTheirIndexes explains them over tables that are large enough for the planner to care.
func TestHotStatementsUseTheirIndexes(t *testing.T) {
	t.Parallel()
	pool := pgtest.Database(t, Schema())
	fill(t, pool)
	for name, c := range map[string]struct {
		sql   string
		args  []any
		index string
	}{
		"getKey":       {getKey, []any{"17"}, "api_keys_pkey"},
		"useKey":       {useKey, []any{"17", time.Now()}, "api_keys_pkey"},
		"rotateKey":    {rotateKey, []any{"17", []byte{1}}, "api_keys_pkey"},
		"revokeKey":    {revokeKey, []any{"17"}, "api_keys_pkey"},
		"listKeys":     {listKeys, []any{time.Now(), "x", 51}, "api_keys_newest"},
		"listEntries":  {listEntries, []any{int64(math.MaxInt64), 51}, "audit_entries_pkey"},
		"pruneEntries": {pruneEntries, []any{8760 * time.Hour, 50}, "audit_entries_create_time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := explain(t, pool, c.sql, c.args...)
			require.Contains(t, plan, c.index, plan)
			require.NotContains(t, plan, "Seq Scan on", plan)
		})
	}
}

func explain(t *testing.T, pool *pgxpool.Pool, statement string, args ...any) string {
	t.Helper()
	rows, err := pool.Query(t.Context(), "explain "+statement, args...)
	require.NoError(t, err)
	var plan strings.Builder
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		plan.WriteString(line + "\n")
	}
	require.NoError(t, rows.Err())
	return plan.String()
}

func fill(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for _, statement := range []string{
		`insert into api_keys (id, name, digest, role, create_time)
		 select n::text, 'key ' || n, sha256(n::text::bytea), 'viewer', now() - n * interval '1 second' from generate_series(1, 20000) n`,
		`insert into audit_entries (create_time, caller, caller_name, method, address, code, reason, request_id)
		 select now() - n * interval '1 hour', 'key:1', 'key 1', 'm', '127.0.0.1', 'OK', '', '' from generate_series(1, 20000) n`,
		`analyze`,
	} {
		_, err := pool.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}
