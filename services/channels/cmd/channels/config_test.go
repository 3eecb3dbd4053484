package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/services/channels/internal/pacing"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	valid := []string{"KNOBOT_DATABASE_URL=postgres://u:canary@localhost/db", "KNOBOT_GRPC_ADDR=127.0.0.1:9103"}

	t.Run("DefaultsAreTheProviders", func(t *testing.T) {
		t.Parallel()
		var c Config
		require.NoError(t, env.LoadFrom(&c, valid))
		require.Equal(t, "https://graph.facebook.com", c.WhatsAppAPIURL)
		require.Equal(t, "v26.0", c.WhatsAppAPIVersion)
		require.Equal(t, telegramAPI, c.TelegramAPIURL)
		require.Equal(t, time.Minute, c.EchoWait)
		require.Equal(t, pacing.DefaultLimits(), c.limits())
		require.Equal(t, "file://./.knobot/media", c.MediaURL)
		require.Equal(t, c.DatabaseURL, c.ownerURL())
	})

	t.Run("OwnURLForMigrations", func(t *testing.T) {
		t.Parallel()
		var c Config
		require.NoError(t, env.LoadFrom(&c, append([]string{"KNOBOT_MIGRATE_DATABASE_URL=postgres://owner@localhost/db"}, valid...)))
		require.Equal(t, "postgres://owner@localhost/db", c.ownerURL().Reveal())
	})

	t.Run("AllFaultsAtOnceAndNoSecret", func(t *testing.T) {
		t.Parallel()
		var c Config
		err := env.LoadFrom(&c, append([]string{
			"KNOBOT_ECHO_WAIT=1h", "KNOBOT_WHATSAPP_RATE=0", "KNOBOT_TELEGRAM_RATE=10001", "WHATSAPP_API_URL=graph", "TELEGRAM_API_URL=ftp://x", "TELEGRAM_BOT_TOKEN=canary", "KNOBOT_TYPO=1", "KNOBOT_MEDIA_URL=media", "KNOBOT_KEEP_MEDIA=1m",
		}, valid...))
		require.Error(t, err)
		for _, name := range []string{"KNOBOT_ECHO_WAIT", "KNOBOT_WHATSAPP_RATE", "KNOBOT_TELEGRAM_RATE", "WHATSAPP_API_URL", "TELEGRAM_API_URL", "KNOBOT_TYPO", "KNOBOT_MEDIA_URL", "KNOBOT_KEEP_MEDIA"} {
			require.Contains(t, err.Error(), name)
		}
		require.NotContains(t, err.Error(), "canary")
	})

	t.Run("SeedsComeFromTheMissionsNames", func(t *testing.T) {
		t.Parallel()
		var c Config
		require.NoError(t, env.LoadFrom(&c, append([]string{
			"WHATSAPP_PHONE_NUMBER_ID=123456", "WHATSAPP_ACCESS_TOKEN=a", "WHATSAPP_VERIFY_TOKEN=v", "WHATSAPP_ALLOW_UNSIGNED=true",
			"TELEGRAM_BOT_TOKEN=1:b", "TELEGRAM_SECRET_TOKEN=s",
		}, valid...)))
		e := c.seeds()
		require.Equal(t, "123456", e.PhoneNumberID)
		require.Equal(t, "a", e.AccessToken.Reveal())
		require.Equal(t, "v", e.VerifyToken.Reveal())
		require.True(t, e.AllowUnsigned)
		require.Equal(t, "1:b", e.BotToken.Reveal())
		require.Equal(t, "s", e.TelegramSecretToken.Reveal())
	})
}
