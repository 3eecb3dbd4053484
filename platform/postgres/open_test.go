package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/platform/postgres"
)

func TestOpenSetsLimits(t *testing.T) {
	t.Parallel()
	u := pgtest.URL(t)
	pool := open(t, u)
	require.EqualValues(t, 16, pool.Config().MaxConns)
	require.Equal(t, "30s", scan[string](t, pool, `select current_setting('statement_timeout')`))
	require.Equal(t, "1min", scan[string](t, pool, `select current_setting('idle_in_transaction_session_timeout')`))
	require.Equal(t, "shop,public", scan[string](t, pool, `select current_setting('search_path')`))

	small := open(t, u, postgres.WithMaxConns(2), postgres.WithStatementTimeout(time.Minute), postgres.WithName("tester"))
	require.EqualValues(t, 2, small.Config().MaxConns)
	require.Equal(t, "1min", scan[string](t, small, `select current_setting('statement_timeout')`))
	require.Equal(t, "tester", scan[string](t, small, `select current_setting('application_name')`))

	own := open(t, u+"&pool_max_conns=3&statement_timeout=7000")
	require.EqualValues(t, 3, own.Config().MaxConns, "the URL wins over defaults")
	require.Equal(t, "7s", scan[string](t, own, `select current_setting('statement_timeout')`))
}

func TestOpenNeedsNoDatabase(t *testing.T) {
	t.Parallel()
	open(t, "postgres://u:p@127.0.0.1:1/x")
}

func TestOpenErrorHidesTheURL(t *testing.T) {
	t.Parallel()
	for _, bad := range []env.Secret{"postgres://u:hunter2@h:port/x", "hunter2", "postgres://u:hunter2@h/x?pool_max_conns=hunter2"} {
		_, err := postgres.Open(t.Context(), bad)
		require.ErrorContains(t, err, "is not a PostgreSQL URL")
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestStatementTimeoutIsUnavailable(t *testing.T) {
	t.Parallel()
	pool := open(t, pgtest.URL(t), postgres.WithStatementTimeout(20*time.Millisecond))
	_, err := pool.Exec(t.Context(), `select pg_sleep(30)`)
	require.True(t, postgres.IsUnavailable(err), "%v", err)
}

func TestKilledConnectionIsUnavailable(t *testing.T) {
	t.Parallel()
	pool := open(t, pgtest.URL(t), postgres.WithMaxConns(1))
	_, err := pool.Exec(t.Context(), `select pg_terminate_backend(pg_backend_pid())`)
	require.True(t, postgres.IsUnavailable(err), "%v", err)
	require.Equal(t, 1, scan[int](t, pool, `select 1`), "the pool recovers")
	pool.Close()
	_, err = pool.Exec(t.Context(), `select 1`)
	require.True(t, postgres.IsUnavailable(err), "%v", err)
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"nil":        {nil, false},
		"deadlock":   {&pgconn.PgError{Code: "40P01"}, true},
		"starting":   {&pgconn.PgError{Code: "57P03"}, true},
		"no room":    {&pgconn.PgError{Code: "53300"}, true},
		"constraint": {&pgconn.PgError{Code: "23505"}, false},
		"no rows":    {pgx.ErrNoRows, false},
		"cut off":    {io.ErrUnexpectedEOF, true},
		"canceled":   {context.Canceled, false},
		"plain":      {errors.New("x"), false},
	} {
		require.Equal(t, c.want, postgres.IsUnavailable(c.err), name)
		if c.err != nil {
			require.Equal(t, c.want, postgres.IsUnavailable(fmt.Errorf("store: %w", c.err)), name)
			require.ErrorIs(t, postgres.Fault(c.err), c.err, name)
			require.Equal(t, c.want, fault.ReasonOf(postgres.Fault(c.err)) == "DATABASE_UNAVAILABLE", name)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	pool := open(t, pgtest.URL(t))
	_, err := pool.Exec(t.Context(), `select $1::text`, "nul \x00 byte")
	require.True(t, postgres.IsRefused(err), "%v", err)
	_, err = pool.Exec(t.Context(), `select '9'::int / 0`)
	require.True(t, postgres.IsRefused(err), "%v", err)
	require.False(t, postgres.IsRefused(&pgconn.PgError{Code: "42P01"}))
	require.False(t, postgres.IsRefused(errors.New("x")))
}

func TestTracesShowStatementsWithoutArguments(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	pool := open(t, pgtest.URL(t), postgres.WithTracing(tp))
	ctx, parent := tp.Tracer("test").Start(t.Context(), "request")
	_, err := pool.Exec(ctx, `select $1::text`, "what the customer wrote")
	require.NoError(t, err)
	parent.End()
	require.Contains(t, fmt.Sprintf("%+v", spans.GetSpans()), "select $1::text")
	require.NotContains(t, fmt.Sprintf("%+v", spans.GetSpans()), "customer")
}

func TestNoWaitHoldsForOneTransaction(t *testing.T) {
	t.Parallel()
	pool := open(t, pgtest.URL(t), postgres.WithMaxConns(1))
	setting := func(batch func(*pgx.Batch)) string {
		var got string
		b := &pgx.Batch{}
		batch(b)
		b.Queue(`select current_setting('synchronous_commit')`).QueryRow(func(row pgx.Row) error { return row.Scan(&got) })
		require.NoError(t, pool.SendBatch(t.Context(), b).Close())
		return got
	}
	_, err := pool.Exec(t.Context(), `set synchronous_commit = local`)
	require.NoError(t, err)
	require.Equal(t, "off", setting(func(b *pgx.Batch) { b.Queue(postgres.NoWait) }))
	require.Equal(t, "local", setting(func(*pgx.Batch) {}), "of the same connection")
}
