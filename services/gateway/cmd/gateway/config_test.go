package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/env"
)

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
