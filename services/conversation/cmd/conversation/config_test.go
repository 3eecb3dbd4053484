package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/env"
)

func TestConfig(t *testing.T) {
	t.Parallel()

	t.Run("DefaultsNeedOnlyADatabase", func(t *testing.T) {
		t.Parallel()
		var c Config
		c.GRPCAddr = "127.0.0.1:9101"
		require.NoError(t, env.LoadFrom(&c, []string{"KNOBOT_DATABASE_URL=postgres://a"}))
		require.Equal(t, 1500*time.Millisecond, c.Debounce)
		require.Equal(t, 24*time.Hour, c.StaleAfter)
		require.Equal(t, 10*time.Second, c.LongestWait)
		require.Equal(t, 30*time.Minute, c.StaffPause)
		require.Equal(t, time.Minute, c.AnswerTimeout)
		require.True(t, c.Role.Serves())
		require.True(t, c.Role.Works())
		require.Equal(t, "postgres://a", c.owner().Reveal())
	})

	t.Run("AllFaultsAreShownAtOnce", func(t *testing.T) {
		t.Parallel()
		var c Config
		c.GRPCAddr = "127.0.0.1:9101"
		err := env.LoadFrom(&c, []string{
			"KNOBOT_DATABASE_URL=postgres://a", "KNOBOT_ROLE=boss", "KNOBOT_WORKERS=0", "KNOBOT_LEASE=1ms", "KNOBOT_DEBOUNCE=-1s",
			"KNOBOT_STALE_AFTER=0s", "KNOBOT_IDLE_AFTER=0s", "KNOBOT_KEEP_WEBHOOKS=1h", "KNOBOT_ANSWER_TIMEOUT=0s", "KNOBOT_LONGEST_WAIT=-1s", "KNOBOT_STAFF_PAUSE=-1s",
			"KNOBOT_KEEP_MESSAGES=1m", "KNOBOT_CUSTOMER_HOURLY_LIMIT=-1", "KNOBOT_CUSTOMER_DAILY_LIMIT=10001",
		})
		for _, name := range []string{
			"KNOBOT_ROLE", "KNOBOT_WORKERS", "KNOBOT_LEASE", "KNOBOT_DEBOUNCE", "KNOBOT_STALE_AFTER", "KNOBOT_IDLE_AFTER", "KNOBOT_KEEP_WEBHOOKS",
			"KNOBOT_ANSWER_TIMEOUT", "KNOBOT_LONGEST_WAIT", "KNOBOT_STAFF_PAUSE", "KNOBOT_KEEP_MESSAGES", "KNOBOT_CUSTOMER_HOURLY_LIMIT", "KNOBOT_CUSTOMER_DAILY_LIMIT",
		} {
			require.ErrorContains(t, err, name)
		}
	})

	t.Run("RolesShareTheWorkOut", func(t *testing.T) {
		t.Parallel()
		require.True(t, Role("api").Serves())
		require.False(t, Role("api").Works())
		require.True(t, Role("worker").Works())
		require.False(t, Role("worker").Serves())
	})

	t.Run("MigrationMayHaveAnOwnRole", func(t *testing.T) {
		t.Parallel()
		c := Config{DatabaseURL: "a", MigrateDatabaseURL: "b"}
		require.Equal(t, "b", c.owner().Reveal())
	})
}
