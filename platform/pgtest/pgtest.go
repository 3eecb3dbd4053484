// Package pgtest gives each test a PostgreSQL database of its own, cloned from
// a migrated template.
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }
package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/postgres"
)

const (
	poolConns   = 6
	workTimeout = time.Minute
)

// shared is the server of the test process. A test binary has one TestMain, and
// testing hands nothing from it to the tests, so this must be a variable.
var shared = struct {
	sync.Mutex
	cluster *cluster
	running bool
}{}

// Run runs the tests and stops the server that they used. The server is the
// one of KNOBOT_TEST_POSTGRES_URL, else one of its own that starts when the
// first test asks for a database.
func Run(m *testing.M) int {
	shared.Lock()
	shared.running = true
	shared.Unlock()
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster != nil {
		shared.cluster.stop()
	}
	return code
}

// Database returns a pool on a fresh database with the schema migrated, dropped
// when the test ends. Unqualified names mean the schema's.
func Database(t testing.TB, s postgres.Schema) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Open(t.Context(), URL(t, s),
		postgres.WithSchema(s), postgres.WithMaxConns(poolConns), postgres.WithName(t.Name()))
	if err != nil {
		t.Fatal("pgtest:", err)
	}
	t.Cleanup(pool.Close) // before the database is dropped
	return pool
}

// URL returns the superuser's URL of a fresh database with the schemas
// migrated, dropped when the test ends.
func URL(t testing.TB, s ...postgres.Schema) env.Secret {
	t.Helper()
	c := running(t)
	ctx, cancel := context.WithTimeout(t.Context(), workTimeout)
	defer cancel()
	name, err := c.clone(ctx, s)
	if err != nil {
		t.Fatal("pgtest:", err)
	}
	t.Cleanup(func() {
		if err := c.drop(name); err != nil {
			t.Error("pgtest:", err)
		}
	})
	return c.url(name)
}

// running starts the server once.
func running(t testing.TB) *cluster {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.running {
		t.Fatal("pgtest: the package needs func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }")
	}
	if shared.cluster == nil {
		c, err := newCluster(os.Getenv("KNOBOT_TEST_POSTGRES_URL"))
		if err != nil {
			t.Fatal("pgtest:", err)
		}
		shared.cluster = c
	}
	return shared.cluster
}

// withDatabase replaces the database in a server's URL.
func withDatabase(server, name string) (env.Secret, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme == "" {
		return "", fmt.Errorf("KNOBOT_TEST_POSTGRES_URL is not a URL of the form postgres://user@host/database")
	}
	u.Path = "/" + name
	return env.Secret(u.String()), nil
}
