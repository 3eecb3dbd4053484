package telegram_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/doctor"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/fakeapi"
)

const hookURL = "https://bot.example/api/integrations/webhooks/telegram/"

// botServer is a Bot API that knows one bot and its webhook.
type botServer struct {
	me, webhook fakeapi.Answer
}

func goodBot() botServer {
	return botServer{
		me:      ok(`{"id":7000000001,"is_bot":true,"first_name":"K","username":"knobot_bot","can_read_all_group_messages":false}`),
		webhook: hook(hookURL, 0, 0, ""),
	}
}

func hook(address string, pending int, lastError int64, message string) fakeapi.Answer {
	return ok(fmt.Sprintf(`{"url":%q,"has_custom_certificate":false,"pending_update_count":%d,"ip_address":"203.0.113.7",
		"last_error_date":%d,"last_error_message":%q,"max_connections":40,"allowed_updates":["message","edited_message",
		"callback_query","my_chat_member","message_reaction","business_connection","business_message",
		"edited_business_message","deleted_business_messages"]}`, address, pending, lastError, message))
}

// inspect returns the findings by check, after looking for secrets and missing cures in them.
func (b botServer) inspect(t *testing.T) map[string]doctor.Finding {
	t.Helper()
	_, client := setup(t, fakeapi.Answer{Handle: func(w http.ResponseWriter, r *http.Request) {
		answer := b.webhook
		if strings.HasSuffix(r.URL.Path, "/getMe") {
			answer = b.me
		}
		for name, value := range answer.Header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(answer.Status)
		_, _ = fmt.Fprint(w, answer.Body)
	}})
	i := channels.Integration{Platform: channels.Telegram, Enabled: true}
	i.SetSecret(channels.BotToken, channels.Secret(credentials().BotToken), time.Now())
	i.SetSecret(channels.WebhookSecret, "CANARY-secret", time.Now())
	found := map[string]doctor.Finding{}
	for _, f := range client.Inspect(t.Context(), i) {
		require.NotContains(t, f.Summary+f.Cure, "CANARY")
		require.NotContains(t, found, f.Check, "each is said once")
		if f.State == doctor.Warning || f.State == doctor.Failed {
			require.NotEmpty(t, f.Cure, f.Check)
		}
		found[f.Check] = f
	}
	return found
}

func TestInspectFindsNothingWrongWithAGoodBot(t *testing.T) {
	t.Parallel()
	found := goodBot().inspect(t)
	require.Len(t, found, 9)
	for check, f := range found {
		require.Equal(t, doctor.OK, f.State, "%s: %s", check, f.Summary)
	}
	require.Contains(t, found["telegram.bot"].Summary, "@knobot_bot")
	require.Contains(t, found["telegram.webhook"].Summary, "203.0.113.7")
}

func TestInspectNamesEachFaultWithItsCure(t *testing.T) {
	t.Parallel()
	now := time.Now().Unix()
	for name, c := range map[string]struct {
		bot   botServer
		check string
		state doctor.State
		cure  string
	}{
		"TokenRevoked":        {botServer{me: refused(401, "Unauthorized")}, "telegram.bot", doctor.Failed, "@BotFather"},
		"TokenUnknown":        {botServer{me: refused(404, "Not Found")}, "telegram.bot", doctor.Failed, "@BotFather"},
		"ServerBroken":        {botServer{me: fakeapi.Answer{Status: 502, Body: "<html>"}}, "telegram.api", doctor.Failed, "TELEGRAM_API_URL"},
		"NoWebhook":           {botServer{goodBot().me, hook("", 3, 0, "")}, "telegram.webhook", doctor.Failed, "knobot webhook set"},
		"AnotherProgramsHook": {botServer{goodBot().me, hook("https://other.example/bot", 0, 0, "")}, "telegram.webhook", doctor.Warning, "one bot serves one program"},
		"HookNotShown":        {botServer{goodBot().me, refused(500, "Internal Server Error")}, "telegram.webhook", doctor.Skipped, ""},
		"ManyWait":            {botServer{goodBot().me, hook(hookURL, 101, 0, "")}, "telegram.pending_updates", doctor.Warning, "24 hours"},
		"WrongSecret":         {botServer{goodBot().me, hook(hookURL, 1, now, "Wrong response from the webhook: 401 Unauthorized")}, "telegram.secret", doctor.Failed, "knobot webhook set"},
		"WrongSecretError":    {botServer{goodBot().me, hook(hookURL, 1, now, "Wrong response from the webhook: 401 Unauthorized")}, "telegram.last_error", doctor.Failed, "another secret"},
		"ForeignSource":       {botServer{goodBot().me, hook(hookURL, 1, now, "Wrong response from the webhook: 403 Forbidden")}, "telegram.last_error", doctor.Failed, "KNOBOT_TELEGRAM_CIDRS"},
		"WrongPath":           {botServer{goodBot().me, hook(hookURL, 1, now, "Wrong response from the webhook: 404 Not Found")}, "telegram.last_error", doctor.Failed, "adds the path"},
		"NotReady":            {botServer{goodBot().me, hook(hookURL, 1, now, "Wrong response from the webhook: 503 Service Unavailable")}, "telegram.last_error", doctor.Failed, "wait"},
		"BadCertificate":      {botServer{goodBot().me, hook(hookURL, 1, now, "SSL error {certificate verify failed}")}, "telegram.last_error", doctor.Failed, "certificate"},
		"NotReachable":        {botServer{goodBot().me, hook(hookURL, 1, now, "Connection refused")}, "telegram.last_error", doctor.Failed, "port 9000"},
		"FailedLately":        {botServer{goodBot().me, hook(hookURL, 0, now-60, "Connection refused")}, "telegram.last_error", doctor.Warning, "port 9000"},
		"FailedLongAgo":       {botServer{goodBot().me, hook(hookURL, 0, now-7200, "Connection refused")}, "telegram.last_error", doctor.OK, ""},
		"NoMessages":          {botServer{goodBot().me, ok(`{"url":"` + hookURL + `","pending_update_count":0,"allowed_updates":["poll"]}`)}, "telegram.allowed_updates", doctor.Failed, "knobot webhook set"},
		"NoReactions":         {botServer{goodBot().me, ok(`{"url":"` + hookURL + `","pending_update_count":0}`)}, "telegram.allowed_updates", doctor.Warning, "knobot webhook set"},
		"ClockIsWrong":        {botServer{fakeapi.Answer{Status: 200, Body: goodBot().me.Body, Header: map[string]string{"Date": time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}}, goodBot().webhook}, "telegram.clock", doctor.Failed, "time service"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := c.bot.inspect(t)[c.check]
			require.Equal(t, c.state, f.State, f.Summary)
			require.Contains(t, f.Cure, c.cure)
		})
	}
}

func TestBotTokenIsToldApartFromAnOutage(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, a fakeapi.Answer) error {
		t.Helper()
		_, client := setup(t, a)
		return client.CheckCredentials(t.Context(), credentials())
	}
	require.NoError(t, check(t, goodBot().me))
	for _, a := range []fakeapi.Answer{refused(401, "Unauthorized"), refused(404, "Not Found")} {
		var wrong *channels.CredentialError
		require.ErrorAs(t, check(t, a), &wrong)
		require.Equal(t, channels.ReasonBotTokenRefused, wrong.Reason)
		require.NotContains(t, wrong.Error(), "CANARY")
	}
	for _, a := range []fakeapi.Answer{{Status: 502, Body: "<html>"}, {Status: 404, Body: "404 page not found"}, refused(429, "Too Many Requests: retry after 3")} {
		failure(t, check(t, a))
	}
}
