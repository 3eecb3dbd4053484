// Package postgres opens pools with sane limits, migrates a service's schema
// and tells an unavailable database from a refused statement.
package postgres

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/telemetry"
)

const (
	defaultMaxConns         = 16
	defaultStatementTimeout = 30 * time.Second
	connectTimeout          = 5 * time.Second
	idleInTransaction       = time.Minute
)

// Option changes a pool.
type Option func(*pgxpool.Config)

// WithSchema makes unqualified names mean the schema's.
func WithSchema(s Schema) Option {
	return func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["search_path"] = s.searchPath() }
}

// WithMaxConns replaces the limit of 16 connections.
func WithMaxConns(n int32) Option { return func(c *pgxpool.Config) { c.MaxConns = n } }

// WithStatementTimeout replaces the limit of 30 seconds per statement; 0 is none.
func WithStatementTimeout(d time.Duration) Option {
	return func(c *pgxpool.Config) {
		c.ConnConfig.RuntimeParams["statement_timeout"] = milliseconds(d)
	}
}

// WithTracing makes a span of each statement, without its arguments, where
// somebody takes spans.
func WithTracing(tp trace.TracerProvider) Option {
	return func(c *pgxpool.Config) {
		if telemetry.Silent(tp) {
			return
		}
		c.ConnConfig.Tracer = otelpgx.NewTracer(otelpgx.WithTracerProvider(tp))
	}
}

// WithName sets the application name that pg_stat_activity shows.
func WithName(name string) Option {
	return func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["application_name"] = name }
}

// Open returns a pool that connects when it is first used: a database that is
// away never keeps a service from starting. What the URL says wins over the
// limits set here, such as ?pool_max_conns=4 or ?statement_timeout=5000, except
// for options given to Open. The error never shows the URL.
func Open(ctx context.Context, url env.Secret, opts ...Option) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url.Reveal())
	if err != nil {
		return nil, errMalformed
	}
	if !poolMaxConns.MatchString(url.Reveal()) {
		cfg.MaxConns = defaultMaxConns
	}
	cfg.MaxConnLifetime, cfg.MaxConnLifetimeJitter = 30*time.Minute, 5*time.Minute
	cfg.MaxConnIdleTime = 5 * time.Minute
	prepare(cfg.ConnConfig)
	setDefault(cfg.ConnConfig.RuntimeParams, "statement_timeout", milliseconds(defaultStatementTimeout))
	setDefault(cfg.ConnConfig.RuntimeParams, "idle_in_transaction_session_timeout", milliseconds(idleInTransaction))
	for _, o := range opts {
		o(cfg)
	}
	return pgxpool.NewWithConfig(ctx, cfg)
}

// errMalformed says nothing of the URL, which may hold a password anywhere.
var errMalformed = errors.New("the database URL is not a PostgreSQL URL (postgres://user:password@host:port/database)")

var poolMaxConns = regexp.MustCompile(`\bpool_max_conns=`)

func prepare(c *pgx.ConnConfig) {
	if c.ConnectTimeout == 0 || c.ConnectTimeout > connectTimeout {
		c.ConnectTimeout = connectTimeout
	}
	if c.RuntimeParams == nil {
		c.RuntimeParams = map[string]string{}
	}
	setDefault(c.RuntimeParams, "application_name", "knobot")
}

func setDefault(m map[string]string, key, value string) {
	if _, ok := m[key]; !ok {
		m[key] = value
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
