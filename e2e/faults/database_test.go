package faults

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/crowd"
	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/platform/localpg"
)

// ownDatabase is a PostgreSQL server of the case's own, with fsync, in a folder where it can be started again.
func (c *stage) ownDatabase() (of *system.Stores, dir string) {
	c.Helper()
	parent, err := os.MkdirTemp("", "kf-")
	require.NoError(c, err)
	require.NoError(c, os.Chmod(parent, 0o711), "PostgreSQL runs as another user, who must get through")
	c.Cleanup(func() { _ = os.RemoveAll(parent) })
	dir = filepath.Join(parent, "pg")
	of, err = stores.WithPostgres(c.ctx, dir)
	require.NoError(c, err)
	c.Cleanup(func() { of.Postgres.Stop() })
	return of, dir
}

// post gives the edge one webhook of a customer whom nobody counts and returns the status.
func (c *stage) post(ctx context.Context, n int) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return c.PostTelegram(ctx, system.TelegramText(int64(1_000_000+n), 888_888, n, "¿Hay alguien?", time.Now()))
}

// awaitStatus posts until the edge answers a status, and returns how long that took.
func (c *stage) awaitStatus(ctx context.Context, want int) (time.Duration, error) {
	began := time.Now()
	for n := int(began.UnixMilli() % 1_000_000_000); ; n++ {
		status, err := c.post(ctx, n)
		if err == nil && status == want {
			return time.Since(began), nil
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return 0, fmt.Errorf("the last status was %d, not %d: %w", status, want, err)
		}
	}
}

// databaseCrashes ends PostgreSQL as a power cut would and starts it again, several times.
func databaseCrashes(c *stage) {
	of, dir := c.ownDatabase()
	c.open(set{stores: of})
	c.model.Make(model.Slowly(50 * time.Millisecond))
	crashes := size(1, 10)
	var slowest time.Duration
	c.during(crowd.Plan{Customers: 40, Every: size(50*time.Millisecond, 30*time.Millisecond)}, func(ctx context.Context) error {
		for range crashes {
			if err := c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+20); err != nil {
				return err
			}
			of.Postgres.Crash()
			if _, err := c.awaitStatus(ctx, http.StatusServiceUnavailable); err != nil {
				return fmt.Errorf("nothing but 503 while it is down: %w", err)
			}
			for n := range 20 {
				status, err := c.post(ctx, 2_000_000_000+n)
				if err != nil || status != http.StatusServiceUnavailable {
					return fmt.Errorf("status %d while PostgreSQL is down: %w", status, err)
				}
			}
			var err error
			if of.Postgres, err = localpg.Start(ctx, localpg.Options{Dir: dir, Durable: true}); err != nil {
				return err
			}
			took, err := c.awaitStatus(ctx, http.StatusOK)
			if err != nil {
				return err
			}
			slowest = max(slowest, took)
		}
		return nil
	})
	r := c.close(fmt.Sprintf("crashes %d back after at most %d ms", crashes, slowest.Milliseconds()))
	require.Less(c, slowest, 10*time.Second)
	require.Zero(c, r.Dead)
}

// admin connects to the system's database as the superuser.
func (c *stage) admin(of *system.Stores) *pgx.Conn {
	c.Helper()
	conn, err := pgx.Connect(c.ctx, of.Postgres.URL(c.Database).Reveal())
	require.NoError(c, err)
	c.Cleanup(func() { _ = conn.Close(context.WithoutCancel(c.ctx)) })
	return conn
}

// connectionsTerminated cuts every connection to the database, again and again.
func connectionsTerminated(c *stage) {
	c.open(set{})
	c.model.Make(model.Slowly(50 * time.Millisecond))
	admin := c.admin(stores)
	times, cut := size(5, 100), 0
	c.during(crowd.Plan{Customers: 40, Every: size(50*time.Millisecond, 30*time.Millisecond)}, func(ctx context.Context) error {
		for range times {
			if err := c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+5); err != nil {
				return err
			}
			tag, err := admin.Exec(ctx, `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()`, c.Database)
			if err != nil {
				return err
			}
			cut += int(tag.RowsAffected())
		}
		return nil
	})
	r := c.close(fmt.Sprintf("connections cut %d", cut))
	require.Positive(c, cut)
	require.Zero(c, r.Dead)
}

// databaseHeldUp leaves services four connections each, and locks what every webhook and every worker needs in a transaction that
// its owner forgets, until the edge pushes back with 503.
func databaseHeldUp(c *stage) {
	c.open(set{through: func(to, address string) string {
		if to == system.Database {
			return address + "&pool_max_conns=4&lock_timeout=2000"
		}
		return address
	}})
	c.model.Make(model.Slowly(50 * time.Millisecond))
	admin := c.admin(stores)
	times := size(1, 5)
	c.during(crowd.Plan{Customers: 60}, func(ctx context.Context) error {
		for range times {
			if err := c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+20); err != nil {
				return err
			}
			tx, err := admin.Begin(ctx)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `lock table conversation.conversations in access exclusive mode`); err != nil {
				return err
			}
			if _, err := c.awaitStatus(ctx, http.StatusServiceUnavailable); err != nil {
				return fmt.Errorf("pushed back while the database is held up: %w", err)
			}
			if err := tx.Rollback(ctx); err != nil {
				return err
			}
			if _, err := c.awaitStatus(ctx, http.StatusOK); err != nil {
				return err
			}
		}
		return nil
	})
	r := c.close(fmt.Sprintf("held up %d times", times))
	require.Zero(c, r.Dead)
}
