package integration_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
	"github.com/knobot/knobot/services/channels/internal/integration"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

func set(f channels.SecretField, v channels.Secret) integration.Edit {
	return func(i *channels.Integration, now time.Time) { i.SetSecret(f, v, now) }
}

func update(t *testing.T, b *channelstest.Bundle, id string, edits ...integration.Edit) channels.Integration {
	t.Helper()
	i, err := b.Integrations.Update(t.Context(), id, edits)
	require.NoError(t, err)
	return i
}

func requireReason(t *testing.T, err error, reason string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, reason, fault.ReasonOf(err), "%v", err)
}

func TestCreate(t *testing.T) {
	t.Parallel()

	t.Run("DefaultsAreTheMissions", func(t *testing.T) {
		t.Parallel()
		i := channelstest.New(t).WhatsApp(t)
		state, reason := i.State()
		require.Equal(t, channels.StateEnabled, state)
		require.Empty(t, reason)
		require.Equal(t, channels.Settings{KnowledgeBase: "default", Language: "es", RAGEnabled: true, TopK: 5}, i.Settings)
	})

	t.Run("TelegramSecretIsMadeWhenAbsent", func(t *testing.T) {
		t.Parallel()
		i := channelstest.New(t).Create(t, channels.Telegram, func(i *channels.Integration, now time.Time) {
			i.Name = "bot"
			i.SetSecret(channels.BotToken, channelstest.BotToken+"\n", now)
		})
		require.Regexp(t, `^[A-Za-z0-9_-]{20,256}$`, i.Secret(channels.WebhookSecret).Reveal())
		require.Equal(t, int64(123456), i.Telegram.BotID)
		require.Equal(t, channelstest.BotToken, i.Secret(channels.BotToken).Reveal(), "blanks that stick to pasted tokens are removed")
	})

	t.Run("SecretsAreSealedAtRest", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		b.WhatsApp(t)
		b.Telegram(t)
		var leaks int
		err := b.Pool.QueryRow(t.Context(), `
			select count(*) from (
				select row_to_json(i)::text as row from integrations i
				union all select encode(sealed, 'escape') from secrets) all_rows
			where row like '%canary%'`).Scan(&leaks)
		require.NoError(t, err)
		require.Zero(t, leaks)
	})

	t.Run("NumberBotAndSecretBelongToOne", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		b.WhatsApp(t)
		b.Telegram(t)
		create := func(p channels.Platform, edits ...integration.Edit) error {
			_, err := b.Integrations.Create(t.Context(), p, func(i *channels.Integration, now time.Time) {
				i.Name = "otra"
				for _, e := range edits {
					e(i, now)
				}
			})
			return err
		}
		requireReason(t, create(channels.WhatsApp, func(i *channels.Integration, _ time.Time) {
			i.WhatsApp.PhoneNumberID = channelstest.PhoneNumberID
		}), "PHONE_NUMBER_ID_TAKEN")
		requireReason(t, create(channels.Telegram, set(channels.BotToken, channelstest.BotToken+"x")), "BOT_TAKEN")
		requireReason(t, create(channels.Telegram, set(channels.WebhookSecret, channelstest.WebhookSecret)), "WEBHOOK_SECRET_TAKEN")
	})

	t.Run("CredentialsThatCannotBeRightAreRefusedAllAtOnce", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		_, err := b.Integrations.Create(t.Context(), channels.WhatsApp, func(i *channels.Integration, now time.Time) {
			i.WhatsApp.PhoneNumberID = "+573001234567"
			i.SetSecret(channels.AccessToken, "canary with blanks", now)
			i.SetSecret(channels.BotToken, channelstest.BotToken, now)
			i.Settings.TopK = 21
		})
		requireReason(t, err, "INVALID_INTEGRATION")
		for _, field := range []string{"name", "whatsapp.phone_number_id: this looks like a phone number", "whatsapp.access_token", "telegram.bot_token", "settings.top_k"} {
			require.Contains(t, fault.MessageOf(err), field)
		}
		require.NotContains(t, err.Error(), "canary")

		short := set(channels.BotToken, "123456:TEST")
		require.Error(t, b.Integrations.Check(channels.Telegram, short))
		emulator := integration.New(integration.Config{CustomBotAPI: true}, b.Store, b.Provider, b.Log)
		require.NoError(t, emulator.Check(channels.Telegram, short))
	})
}

func TestIncompleteNamesItsCure(t *testing.T) {
	t.Parallel()
	b := channelstest.New(t)
	i := b.Create(t, channels.WhatsApp, func(i *channels.Integration, now time.Time) {
		i.Name, i.Seeded, i.WhatsApp.PhoneNumberID = "WhatsApp Business", true, channelstest.PhoneNumberID
		i.SetSecret(channels.AccessToken, channelstest.AccessToken, now)
		i.SetSecret(channels.VerifyToken, channelstest.VerifyToken, now)
	})
	state, reason := i.State()
	require.Equal(t, channels.StateIncomplete, state)
	require.Contains(t, reason, "WHATSAPP_APP_SECRET")
	require.Contains(t, reason, "WHATSAPP_ALLOW_UNSIGNED=true")
	i = update(t, b, i.ID, func(i *channels.Integration, _ time.Time) { i.WhatsApp.AllowUnsigned = true })
	state, _ = i.State()
	require.Equal(t, channels.StateEnabled, state)
}

func TestRotation(t *testing.T) {
	t.Parallel()

	t.Run("ReplacedWebhookSecretStaysValidForADay", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		i := update(t, b, b.Telegram(t).ID, set(channels.WebhookSecret, "new-secret"))
		require.Equal(t, []channels.Secret{"new-secret", channelstest.WebhookSecret}, i.ValidSecrets(channels.WebhookSecret))
		b.Exec(t, `update secrets set expire_time = expire_time - interval '24 hours'`)
		require.NoError(t, b.Store.Expire(t.Context(), integration.Keep))
		i, err := b.Integrations.Get(t.Context(), i.ID)
		require.NoError(t, err)
		require.Equal(t, []channels.Secret{"new-secret"}, i.ValidSecrets(channels.WebhookSecret))
	})

	t.Run("GoingBackMakesTheOldOneCurrent", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		i := b.WhatsApp(t)
		update(t, b, i.ID, set(channels.AppSecret, "other"))
		i = update(t, b, i.ID, set(channels.AppSecret, channelstest.AppSecret))
		require.Equal(t, []channels.Secret{channelstest.AppSecret, "other"}, i.ValidSecrets(channels.AppSecret))
	})

	t.Run("AccessTokensAreReplacedAtOnce", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		i := update(t, b, b.WhatsApp(t).ID, set(channels.AccessToken, "EAAG-new"))
		require.Equal(t, []channels.Secret{"EAAG-new"}, i.ValidSecrets(channels.AccessToken))
	})

	t.Run("ManyRotationsKeepTheLatest", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		i := b.WhatsApp(t)
		for _, s := range []channels.Secret{"s1", "s2", "s3", "s4", "s5", "s6"} {
			i = update(t, b, i.ID, set(channels.AppSecret, s))
		}
		require.Equal(t, []channels.Secret{"s6", "s5", "s4", "s3", "s2"}, i.ValidSecrets(channels.AppSecret))
	})
}

func TestDelete(t *testing.T) {
	t.Parallel()

	t.Run("TombstoneKeepsItsSecretsForEightDays", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		i := b.Telegram(t)
		require.NoError(t, b.Integrations.Delete(t.Context(), i.ID))
		require.Contains(t, b.Provider.Signals(), "delete webhook")
		_, err := b.Integrations.Get(t.Context(), i.ID)
		requireReason(t, err, "INTEGRATION_NOT_FOUND")
		requireReason(t, b.Integrations.Delete(t.Context(), i.ID), "INTEGRATION_NOT_FOUND")
		tombstone, err := b.Integrations.Open(t.Context(), i.ID)
		require.NoError(t, err)
		state, _ := tombstone.State()
		require.Equal(t, channels.StateDeleted, state)
		require.NotEmpty(t, tombstone.ValidSecrets(channels.WebhookSecret))

		b.Exec(t, `update integrations set delete_time = delete_time - interval '8 days'`)
		require.NoError(t, b.Store.Expire(t.Context(), integration.Keep))
		_, err = b.Integrations.Open(t.Context(), i.ID)
		requireReason(t, err, "INTEGRATION_NOT_FOUND")
		var left int
		require.NoError(t, b.Pool.QueryRow(t.Context(), `select count(*) from secrets`).Scan(&left))
		require.Zero(t, left)
	})

	t.Run("TombstoneMakesWayForTheSameNumber", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		old, bot := b.WhatsApp(t), b.Telegram(t)
		require.NoError(t, b.Integrations.Delete(t.Context(), old.ID))
		require.NoError(t, b.Integrations.Delete(t.Context(), bot.ID))
		require.NotEqual(t, old.ID, b.WhatsApp(t).ID)
		require.NotEqual(t, bot.ID, b.Telegram(t).ID)
		_, err := b.Integrations.Open(t.Context(), old.ID)
		requireReason(t, err, "INTEGRATION_NOT_FOUND")
	})

	t.Run("UnreachableTelegramDoesNotKeepItAlive", func(t *testing.T) {
		t.Parallel()
		b := channelstest.New(t)
		i := b.Telegram(t)
		b.Provider.WebhookErr = &channels.SendError{Class: channels.ClassRetry, Message: "down"}
		require.NoError(t, b.Integrations.Delete(t.Context(), i.ID))
	})
}

func TestUnreadableSecrets(t *testing.T) {
	t.Parallel()
	b := channelstest.New(t)
	i := b.WhatsApp(t)
	other := b.Telegram(t)
	b.Exec(t, `update secrets set sealed = decode('00', 'hex') where integration_id = $1`, i.ID)
	i, err := b.Integrations.Get(t.Context(), i.ID)
	require.NoError(t, err)
	state, reason := i.State()
	require.Equal(t, channels.StateIncomplete, state)
	require.Contains(t, reason, "KNOBOT_ENCRYPTION_KEYSET")
	i = update(t, b, i.ID, func(i *channels.Integration, _ time.Time) { i.Name = "otro nombre" })
	require.True(t, i.Unreadable, "an edit of something else keeps what may open again")
	other, err = b.Integrations.Get(t.Context(), other.ID)
	require.NoError(t, err)
	state, _ = other.State()
	require.Equal(t, channels.StateEnabled, state, "the others go on")
}
