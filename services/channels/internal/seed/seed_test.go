package seed_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
	"github.com/knobot/knobot/services/channels/internal/seed"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// mission is the .env of the mission: five names, no app secret.
func mission() seed.Environment {
	return seed.Environment{
		PhoneNumberID: channelstest.PhoneNumberID, AccessToken: channelstest.AccessToken, VerifyToken: channelstest.VerifyToken,
		BotToken: channelstest.BotToken, TelegramSecretToken: channelstest.WebhookSecret,
	}
}

func run(t *testing.T, b *channelstest.Bundle, e seed.Environment) map[channels.Platform][]channels.Integration {
	t.Helper()
	require.NoError(t, seed.Run(t.Context(), e, b.Store, b.Integrations, b.Log))
	found := map[channels.Platform][]channels.Integration{}
	for _, p := range []channels.Platform{channels.WhatsApp, channels.Telegram} {
		list, err := b.Integrations.List(t.Context(), p, "", "", 10)
		require.NoError(t, err)
		found[p] = list
	}
	return found
}

func warned(b *channelstest.Bundle, variable string) bool {
	for _, e := range b.Logs.All() {
		if e.ContextMap()["variable"] == variable {
			return true
		}
	}
	return false
}

func TestSeed(t *testing.T) {
	t.Parallel()

	t.Run("TwiceIsTheSameRow", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		first, second := run(t, b, mission()), run(t, b, mission())
		require.Equal(t, first, second)
		require.Len(t, first[channels.WhatsApp], 1)
		require.Len(t, first[channels.Telegram], 1)
		require.Equal(t, "WhatsApp Business", first[channels.WhatsApp][0].Name)
		require.Equal(t, "Telegram Bot", first[channels.Telegram][0].Name)
		state, _ := first[channels.Telegram][0].State()
		require.Equal(t, channels.StateEnabled, state)
	})

	t.Run("ReplicasThatStartAtOnceMakeOneOfEach", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		var replicas errgroup.Group
		for range 3 {
			replicas.Go(func() error { return seed.Run(t.Context(), mission(), b.Store, b.Integrations, b.Log) })
		}
		require.NoError(t, replicas.Wait())
		require.Len(t, run(t, b, mission())[channels.WhatsApp], 1)
	})

	t.Run("MissingAppSecretIsNamedAndLaterFilledIn", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		state, reason := run(t, b, mission())[channels.WhatsApp][0].State()
		require.Equal(t, channels.StateIncomplete, state)
		require.Contains(t, reason, "WHATSAPP_APP_SECRET")
		later := mission()
		later.AppSecret = channelstest.AppSecret
		state, _ = run(t, b, later)[channels.WhatsApp][0].State()
		require.Equal(t, channels.StateEnabled, state)
	})

	t.Run("UnsignedInWordsIsComplete", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		e := mission()
		e.AllowUnsigned = true
		state, _ := run(t, b, e)[channels.WhatsApp][0].State()
		require.Equal(t, channels.StateEnabled, state)
	})

	t.Run("ChangedValueIsWarnedOfByNameAndNotTaken", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		run(t, b, mission())
		later := mission()
		later.AccessToken = "EAAG-canary-later"
		found := run(t, b, later)
		require.True(t, warned(b, "WHATSAPP_ACCESS_TOKEN"))
		require.False(t, warned(b, "WHATSAPP_VERIFY_TOKEN"))
		require.Equal(t, channelstest.AccessToken, found[channels.WhatsApp][0].Secret(channels.AccessToken).Reveal())
		for _, e := range b.Logs.All() {
			require.NotContains(t, e.Message, "canary")
			for _, v := range e.ContextMap() {
				require.NotContains(t, v, "canary")
			}
		}
	})

	t.Run("PlaceholdersAreReportedAndTheRestServed", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		found := run(t, b, seed.Environment{
			PhoneNumberID: "tu_phone_number_id", AccessToken: "tu_access_token", VerifyToken: "tu_verify_token",
			BotToken: "tu_bot_token", TelegramSecretToken: "tu_secret_token",
		})
		require.True(t, warned(b, "WHATSAPP_PHONE_NUMBER_ID"))
		require.True(t, warned(b, "TELEGRAM_BOT_TOKEN"))
		for _, variable := range []string{"WHATSAPP_PHONE_NUMBER_ID", "WHATSAPP_APP_SECRET"} {
			_, reason := found[channels.WhatsApp][0].State()
			require.Contains(t, reason, variable)
		}
		_, reason := found[channels.Telegram][0].State()
		require.Contains(t, reason, "TELEGRAM_BOT_TOKEN")
	})

	t.Run("EmptyEnvironmentMakesNothing", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		found := run(t, b, seed.Environment{AllowUnsigned: true})
		require.Empty(t, found[channels.WhatsApp])
		require.Empty(t, found[channels.Telegram])
	})

	t.Run("IntegrationMadeByPeopleIsLeftAlone", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		own := b.WhatsApp(t)
		e := mission()
		e.PhoneNumberID = "999999999"
		found := run(t, b, e)
		require.Len(t, found[channels.WhatsApp], 1)
		require.Equal(t, own.WhatsApp, found[channels.WhatsApp][0].WhatsApp)
		require.True(t, warned(b, "WHATSAPP_PHONE_NUMBER_ID"))
	})
}
