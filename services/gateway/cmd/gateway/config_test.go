package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/env"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	valid := []string{"KNOBOT_GRPC_ADDR=127.0.0.1:9100"}

	t.Run("NothingIsRequired", func(t *testing.T) {
		t.Parallel()
		var c Config
		require.NoError(t, env.LoadFrom(&c, valid))
		require.False(t, c.DatabaseURL.IsSet())
		require.Equal(t, 365*24*time.Hour, c.KeepAudit)
		require.Equal(t, "knobot_role", c.OIDCRolesClaim)
		require.Error(t, migrate(t.Context(), c, nil), "there is nothing to migrate")
	})

	t.Run("OwnURLForMigrations", func(t *testing.T) {
		t.Parallel()
		var c Config
		require.NoError(t, env.LoadFrom(&c, append([]string{"KNOBOT_DATABASE_URL=postgres://u@localhost/db"}, valid...)))
		require.Equal(t, c.DatabaseURL, c.ownerURL())
		require.NoError(t, env.LoadFrom(&c, append([]string{"KNOBOT_MIGRATE_DATABASE_URL=postgres://owner@localhost/db"}, valid...)))
		require.Equal(t, "postgres://owner@localhost/db", c.ownerURL().Reveal())
	})

	t.Run("AllFaultsAtOnceAndNoSecret", func(t *testing.T) {
		t.Parallel()
		var c Config
		err := env.LoadFrom(&c, append([]string{"KNOBOT_ADMIN_API_KEY=canary", "KNOBOT_OIDC_ISSUER=http://example.com", "KNOBOT_KEEP_AUDIT=-1h"}, valid...))
		require.Error(t, err)
		for _, name := range []string{"KNOBOT_ADMIN_API_KEY", "KNOBOT_OIDC_ISSUER", "KNOBOT_OIDC_AUDIENCE", "KNOBOT_KEEP_AUDIT"} {
			require.Contains(t, err.Error(), name)
		}
		require.NotContains(t, err.Error(), "canary")
	})

	t.Run("AnIssuerIsAskedWhereNobodyListens", func(t *testing.T) {
		t.Parallel()
		for issuer, ok := range map[string]bool{
			"https://login.example.com/realms/x": true, "http://127.0.0.1:8080": true, "http://[::1]:8080": true, "http://localhost": true,
			"http://login.example.com": false, "login.example.com": false, "https://u:p@example.com": false, "https://example.com?x=y": false, "ftp://localhost": false,
		} {
			var c Config
			err := env.LoadFrom(&c, append([]string{"KNOBOT_OIDC_AUDIENCE=knobot", "KNOBOT_OIDC_ISSUER=" + issuer}, valid...))
			require.Equal(t, ok, err == nil, "%s: %v", issuer, err)
		}
	})
}

func TestNetworksAreReadAndOffByDefault(t *testing.T) {
	t.Parallel()
	var c Config
	require.NoError(t, env.LoadFrom(&c, []string{"KNOBOT_GRPC_ADDR=127.0.0.1:9100"}))
	require.Empty(t, c.sources().Telegram)
	require.Empty(t, c.sources().Proxies)
	require.NoError(t, env.LoadFrom(&c, []string{
		"KNOBOT_GRPC_ADDR=127.0.0.1:9100", "KNOBOT_TELEGRAM_CIDRS=149.154.160.0/20,91.108.4.0/22", "KNOBOT_TRUSTED_PROXIES=10.0.0.0/8",
	}))
	require.Len(t, c.sources().Telegram, 2)
	require.Len(t, c.sources().Proxies, 1)
	err := env.LoadFrom(&c, []string{"KNOBOT_GRPC_ADDR=127.0.0.1:9100", "KNOBOT_TELEGRAM_CIDRS=telegram", "KNOBOT_TRUSTED_PROXIES=10.0.0.1"})
	require.ErrorContains(t, err, "KNOBOT_TELEGRAM_CIDRS")
	require.ErrorContains(t, err, "KNOBOT_TRUSTED_PROXIES")
}
