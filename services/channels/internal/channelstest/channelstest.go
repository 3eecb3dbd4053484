// Package channelstest makes what several packages' tests need: a store on a fresh PostgreSQL database, integrations in it,
// and a provider that does what a test tells it.
package channelstest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/platform/sealing"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/integration"
	"github.com/knobot/knobot/services/channels/internal/postgres"
)

// Secrets of the integrations that tests make. A test that finds one in a log or an answer has found a leak.
const (
	AccessToken   = "EAAG-" + canary + "-access-token"
	VerifyToken   = canary + "-verify-token"
	AppSecret     = canary + "-app-secret"
	BotToken      = "123456:" + canary + "-bot-token-AAAAAAAAAAAAAAAAAAA"
	WebhookSecret = canary + "-webhook-secret"
	PhoneNumberID = "106540352242922"
)

// canary is in every secret.
const canary = "canary"

// Bundle is a database with its store and use cases.
type Bundle struct {
	Pool         *pgxpool.Pool
	Sealer       *sealing.Sealer
	Store        *postgres.Store
	Provider     *Provider
	Integrations *integration.Service
	Log          *zap.Logger
	Logs         *observer.ObservedLogs
}

// New makes a bundle. The package's TestMain must run pgtest.
func New(t testing.TB) *Bundle {
	t.Helper()
	keyset, err := sealing.NewKeyset()
	require.NoError(t, err)
	sealer, err := sealing.New(keyset)
	require.NoError(t, err)
	core, logs := observer.New(zapcore.DebugLevel)
	b := &Bundle{Pool: pgtest.Database(t, postgres.Schema()), Sealer: sealer, Provider: NewProvider(), Log: zap.New(core), Logs: logs}
	b.Store = postgres.NewStore(b.Pool, sealer)
	b.Integrations = integration.New(integration.Config{}, b.Store, b.Provider, b.Log)
	b.Integrations.Seeded()
	return b
}

// WhatsApp makes a complete integration.
func (b *Bundle) WhatsApp(t testing.TB) channels.Integration {
	t.Helper()
	return b.Create(t, channels.WhatsApp, func(i *channels.Integration, now time.Time) {
		i.Name, i.WhatsApp.PhoneNumberID = "WhatsApp Business", PhoneNumberID
		i.SetSecret(channels.AccessToken, AccessToken, now)
		i.SetSecret(channels.VerifyToken, VerifyToken, now)
		i.SetSecret(channels.AppSecret, AppSecret, now)
	})
}

// Telegram makes a complete integration.
func (b *Bundle) Telegram(t testing.TB) channels.Integration {
	t.Helper()
	return b.Create(t, channels.Telegram, func(i *channels.Integration, now time.Time) {
		i.Name = "Telegram Bot"
		i.SetSecret(channels.BotToken, BotToken, now)
		i.SetSecret(channels.WebhookSecret, WebhookSecret, now)
	})
}

// Create makes an integration.
func (b *Bundle) Create(t testing.TB, p channels.Platform, edit integration.Edit) channels.Integration {
	t.Helper()
	i, err := b.Integrations.Create(t.Context(), p, edit)
	require.NoError(t, err)
	return i
}

// Exec runs a statement, to make time pass in the database.
func (b *Bundle) Exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	_, err := b.Pool.Exec(context.WithoutCancel(t.Context()), sql, args...)
	require.NoError(t, err)
}
