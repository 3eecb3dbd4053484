package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/env"

	"github.com/knobot/knobot/simulator/internal/server"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		environ []string
		fault   string
	}{
		"NothingIsNeeded":      {nil, ""},
		"UnknownNameIsRefused": {[]string{"KNOBOT_SIMULATOR_PLACE=x"}, "KNOBOT_SIMULATOR_PLACE"},
		"WebhookURLIsAURL":     {[]string{"KNOBOT_SIMULATOR_WEBHOOK_URL=9000"}, "KNOBOT_SIMULATOR_WEBHOOK_URL"},
		"TheMissionsNamesSuffice": {[]string{
			"WHATSAPP_PHONE_NUMBER_ID=1", "WHATSAPP_ACCESS_TOKEN=a", "WHATSAPP_VERIFY_TOKEN=b", "TELEGRAM_BOT_TOKEN=1:c", "TELEGRAM_SECRET_TOKEN=d",
		}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var cfg server.Config
			err := env.LoadFrom(&cfg, c.environ)
			if c.fault == "" {
				require.NoError(t, err)
				require.Equal(t, "127.0.0.1:9800", cfg.Addr)
				return
			}
			require.ErrorContains(t, err, c.fault)
		})
	}

	t.Run("AccountsThatCannotBeAreNamed", func(t *testing.T) {
		t.Parallel()
		for fault, cfg := range map[string]server.Config{
			"WhatsApp": {PhoneNumberID: "abc", AccessToken: "x"}, "Telegram": {BotToken: "secret-without-colon"},
		} {
			s := server.New(server.Options{History: 1, Settings: server.DefaultSettings()})
			err := s.Seed(cfg)
			require.ErrorContains(t, err, fault)
			require.NotContains(t, err.Error(), "secret")
			s.Close()
		}
	})
}
