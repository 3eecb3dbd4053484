package rpcapi_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
)

const noSuchNumber = `{"error":{"message":"Object with ID does not exist, cannot be loaded due to missing permissions","code":100,"error_subcode":33}}`

func telegramRequest() *channelsv1.Integration {
	return &channelsv1.Integration{
		Name:   "Bot",
		Config: &channelsv1.Integration_Telegram{Telegram: &channelsv1.TelegramConfig{BotToken: channelstest.BotToken}},
	}
}

func (b *bundle) enter(t *testing.T, in *channelsv1.Integration, skip bool) (*channelsv1.CreateIntegrationResponse, error) {
	t.Helper()
	return b.integrations.CreateIntegration(t.Context(), &channelsv1.CreateIntegrationRequest{Integration: in, SkipCheck: skip})
}

func (b *bundle) stored(t *testing.T) []*channelsv1.Integration {
	t.Helper()
	r, err := b.integrations.ListIntegrations(t.Context(), &channelsv1.ListIntegrationsRequest{})
	require.NoError(t, err)
	return r.GetIntegrations()
}

func TestCredentialsAreCheckedAsTheyAreEntered(t *testing.T) {
	t.Parallel()

	t.Run("PhoneNumberInPlaceOfItsIDIsRefusedWithTheCure", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.providers.fail(400, noSuchNumber)
		in := whatsAppRequest()
		in.GetWhatsapp().PhoneNumberId = "573001234567"
		_, err := b.enter(t, in, false)
		requireFault(t, err, fault.Invalid, "PHONE_NUMBER_AS_ID")
		require.Contains(t, fault.MessageOf(err), "API Setup")
		require.Empty(t, b.stored(t), "nothing is stored")
	})

	t.Run("EachRefusalHasItsReason", func(t *testing.T) {
		t.Parallel()
		for reason, c := range map[string]struct {
			in     *channelsv1.Integration
			status int
			body   string
		}{
			"PHONE_NUMBER_ID_UNKNOWN": {whatsAppRequest(), 400, noSuchNumber},
			"ACCESS_TOKEN_REFUSED":    {whatsAppRequest(), 401, `{"error":{"message":"bad ` + channelstest.AccessToken + `","code":190}}`},
			"PERMISSION_MISSING":      {whatsAppRequest(), 403, `{"error":{"message":"(#10) no","code":10}}`},
			"BOT_TOKEN_REFUSED":       {telegramRequest(), 401, `{"ok":false,"error_code":401,"description":"Unauthorized"}`},
		} {
			b := setup(t)
			b.providers.fail(c.status, c.body)
			_, err := b.enter(t, c.in, false)
			requireFault(t, err, fault.Invalid, reason)
			require.NotContains(t, err.Error(), channelstest.AccessToken)
			require.NotContains(t, err.Error(), channelstest.BotToken)
			require.Empty(t, b.stored(t))
		}
	})

	t.Run("ProviderThatIsAwayStopsNobody", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.providers.fail(503, "<html>")
		made, err := b.enter(t, whatsAppRequest(), false)
		require.NoError(t, err)
		require.Contains(t, made.GetUncheckedReason(), "503")
		require.Equal(t, channelsv1.Integration_STATE_ENABLED, made.GetIntegration().GetState())
	})

	t.Run("NobodyIsAskedWhenToldSo", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.providers.fail(400, noSuchNumber)
		made, err := b.enter(t, whatsAppRequest(), true)
		require.NoError(t, err)
		require.Empty(t, made.GetUncheckedReason())
		require.Empty(t, b.providers.asked())
	})

	t.Run("OnlyChangedCredentialsAreAskedAbout", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.create(t, whatsAppRequest())
		b.providers.fail(401, `{"error":{"message":"expired","code":190}}`)
		_, err := b.update(t, &channelsv1.Integration{Id: i.GetId(), Name: "Otro"}, "name")
		require.NoError(t, err)
		whatsapp := &channelsv1.WhatsAppConfig{AccessToken: "EAAG-another"}
		in := &channelsv1.Integration{Id: i.GetId(), Config: &channelsv1.Integration_Whatsapp{Whatsapp: whatsapp}}
		_, err = b.update(t, in, "whatsapp.access_token")
		requireFault(t, err, fault.Invalid, "ACCESS_TOKEN_REFUSED")
		stored, err := b.Integrations.Get(t.Context(), i.GetId())
		require.NoError(t, err)
		require.Equal(t, channels.Secret(channelstest.AccessToken), stored.Secret(channels.AccessToken), "the old one is still there")
	})
}

func TestCheckIntegration(t *testing.T) {
	t.Parallel()

	check := func(t *testing.T, b *bundle, id string) map[string]*typev1.Finding {
		t.Helper()
		r, err := b.integrations.CheckIntegration(t.Context(), &channelsv1.CheckIntegrationRequest{Id: id})
		require.NoError(t, err)
		found := map[string]*typev1.Finding{}
		for _, f := range r.GetFindings() {
			found[f.GetCheck()] = f
		}
		return found
	}

	t.Run("SaysWhatTheProviderSays", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.Telegram(t)
		b.providers.fail(401, `{"ok":false,"error_code":401,"description":"Unauthorized"}`)
		found := check(t, b, i.ID)
		require.Equal(t, typev1.Finding_STATE_OK, found["integration"].GetState())
		require.Equal(t, typev1.Finding_STATE_FAILED, found["telegram.bot"].GetState())
		require.Contains(t, found["telegram.bot"].GetCure(), "@BotFather")
	})

	t.Run("StateComesWithItsCureAndIncompleteOnesAskNobody", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		in := whatsAppRequest()
		in.GetWhatsapp().AccessToken = ""
		i := b.create(t, in)
		found := check(t, b, i.GetId())
		require.Equal(t, typev1.Finding_STATE_FAILED, found["integration"].GetState())
		require.Contains(t, found["integration"].GetCure(), "whatsapp.access_token")
		require.Empty(t, b.providers.asked())
		whole := b.create(t, telegramRequest())
		off := false
		_, err := b.update(t, &channelsv1.Integration{Id: whole.GetId(), Enabled: &off}, "enabled")
		require.NoError(t, err)
		require.Equal(t, typev1.Finding_STATE_WARNING, check(t, b, whole.GetId())["integration"].GetState())
	})

	t.Run("UnknownOneIsNotFound", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.integrations.CheckIntegration(t.Context(), &channelsv1.CheckIntegrationRequest{Id: "nobody"})
		requireFault(t, err, fault.NotFound, "INTEGRATION_NOT_FOUND")
	})
}

func TestRotateWebhookSecret(t *testing.T) {
	t.Parallel()
	rotate := func(t *testing.T, b *bundle, id string) (*channelsv1.RotateWebhookSecretResponse, error) {
		t.Helper()
		return b.integrations.RotateWebhookSecret(t.Context(), &channelsv1.RotateWebhookSecretRequest{Id: id})
	}
	valid := func(t *testing.T, b *bundle, id string) []channels.Secret {
		t.Helper()
		i, err := b.Integrations.Get(t.Context(), id)
		require.NoError(t, err)
		return i.ValidSecrets(channels.WebhookSecret)
	}

	t.Run("TelegramGetsTheNewOneAndTheOldOneStaysValid", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.Telegram(t)
		r, err := rotate(t, b, i.ID)
		require.NoError(t, err)
		require.True(t, r.GetRegistered())
		require.Empty(t, r.GetIntegration().GetTelegram().GetWebhookSecret())
		secrets := valid(t, b, i.ID)
		require.Len(t, secrets, 2)
		require.Equal(t, channels.Secret(channelstest.WebhookSecret), secrets[1])
		set := b.providers.asked()[1]
		require.True(t, strings.HasSuffix(set.path, "/setWebhook"))
		require.Equal(t, secrets[0].Reveal(), set.body["secret_token"])
		require.Equal(t, "https://example.org/api/integrations/webhooks/telegram/", set.body["url"], "where it posted before")
	})

	t.Run("BotWithoutAWebhookIsNotGivenOne", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.Telegram(t)
		b.providers.fail(200, `{"ok":true,"result":{"url":"","pending_update_count":0}}`)
		r, err := rotate(t, b, i.ID)
		require.NoError(t, err)
		require.False(t, r.GetRegistered())
		require.NotEqual(t, channels.Secret(channelstest.WebhookSecret), valid(t, b, i.ID)[0])
		require.Len(t, b.providers.asked(), 1)
	})

	t.Run("OldOneStaysInForceIfTelegramRefuses", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.Telegram(t)
		b.providers.say(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/setWebhook") {
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = fmt.Fprint(w, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 1","parameters":{"retry_after":1}}`)
				return
			}
			_, _ = fmt.Fprint(w, `{"ok":true,"result":{"url":"https://example.org/x","pending_update_count":0}}`)
		})
		_, err := rotate(t, b, i.ID)
		requireFault(t, err, fault.Throttled, "THROTTLED")
		require.Equal(t, channels.Secret(channelstest.WebhookSecret), valid(t, b, i.ID)[0])
	})

	t.Run("NothingChangesWhileTelegramIsAway", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		i := b.Telegram(t)
		b.providers.fail(502, "<html>")
		_, err := rotate(t, b, i.ID)
		requireFault(t, err, fault.Unavailable, "PROVIDER_UNAVAILABLE")
		require.Equal(t, []channels.Secret{channelstest.WebhookSecret}, valid(t, b, i.ID))
	})

	t.Run("WhatsAppHasNone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := rotate(t, b, b.WhatsApp(t).ID)
		requireFault(t, err, fault.Precondition, "NOT_TELEGRAM")
	})
}

func TestReSealSecretsOverTheWire(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.WhatsApp(t)
	r, err := b.integrations.ReSealSecrets(t.Context(), &channelsv1.ReSealSecretsRequest{ValidateOnly: true})
	require.NoError(t, err)
	require.Zero(t, r.GetReSealedCount())
	require.Len(t, r.GetKeys(), 1)
	require.True(t, r.GetKeys()[0].GetPrimary() && r.GetKeys()[0].GetKnown())
	require.EqualValues(t, 3, r.GetKeys()[0].GetSecretCount())
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.WhatsApp(t)
	states := func() map[string]typev1.Finding_State {
		r, err := b.diagnostics.Diagnose(t.Context(), &channelsv1.DiagnoseRequest{})
		require.NoError(t, err)
		found := map[string]typev1.Finding_State{}
		for _, f := range r.GetFindings() {
			found[f.GetCheck()] = f.GetState()
		}
		return found
	}
	require.Equal(t, map[string]typev1.Finding_State{
		"database": typev1.Finding_STATE_OK, "database.schema": typev1.Finding_STATE_OK, "database.clock": typev1.Finding_STATE_OK,
		"sealing": typev1.Finding_STATE_OK,
	}, states())
	garbage := sha256.Sum256([]byte("no ciphertext"))
	b.Exec(t, `update secrets set sealed = $2 where integration_id = $1 and ordinal = 0`, i.ID, garbage[:])
	require.Equal(t, typev1.Finding_STATE_FAILED, states()["sealing"])
}
