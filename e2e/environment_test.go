package e2e

import (
	"errors"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"

	"github.com/knobot/knobot/e2e/internal/system"
)

// TestMissionEnvironmentServesWhatItCan starts with the five names of the mission's .env, which has no app secret: WhatsApp
// is refused, the log says why and what to do, and Telegram is served.
func TestMissionEnvironmentServesWhatItCan(t *testing.T) {
	t.Parallel()
	s := start(t, map[string]string{"WHATSAPP_APP_SECRET": ""})
	require.NoError(t, s.Store(t.Context(), "horario.md", hours))
	answer := telegramCustomer(t, s, "7301", "").ask(saturday)
	require.Contains(t, answer.Text, "10:00 a 14:00", "Telegram is served")

	whatsApp := integrationOf(t, s, typev1.Platform_PLATFORM_WHATSAPP)
	require.Equal(t, channelsv1.Integration_STATE_INCOMPLETE, whatsApp.GetState())
	require.Contains(t, whatsApp.GetStateReason(), "WHATSAPP_APP_SECRET", "the cure is named")
	require.Contains(t, s.Channels.Log().String(), "WHATSAPP_APP_SECRET", "at start-up too")
	require.Equal(t, channelsv1.Integration_STATE_ENABLED, integrationOf(t, s, typev1.Platform_PLATFORM_TELEGRAM).GetState())

	body := system.WhatsAppText(s.Credentials.PhoneNumberID, "573003330001", "wamid.unsigned", "Hola", time.Now())
	for name, header := range map[string]http.Header{
		"unsigned": {}, "signed with nothing": {signatureHeader: {system.Sign("", body)}},
		"signed with the secret that is not configured": {signatureHeader: {system.Sign(s.Credentials.AppSecret, body)}},
		"signed with the access token":                  {signatureHeader: {system.Sign(s.Credentials.AccessToken, body)}},
	} {
		require.Equal(t, http.StatusUnauthorized, postTo(t, s, system.WhatsAppPath, body, header), name)
	}
	for _, secret := range []string{s.Credentials.AccessToken, s.Credentials.VerifyToken, s.Credentials.BotToken, s.Credentials.SecretToken} {
		require.False(t, strings.Contains(s.Logs(), secret), "a secret stands in a log")
	}
}

// TestOneEnvironmentServesAll gives all programs the same variables, each of which concerns only some of them.
func TestOneEnvironmentServesAll(t *testing.T) {
	t.Parallel()
	s := start(t, map[string]string{
		"KNOBOT_ROLE": "all", "KNOBOT_LONGEST_WAIT": "5s", "KNOBOT_WORKERS": "4", "KNOBOT_STALE_AFTER": "12h", // conversation's
		"KNOBOT_LLM_PROVIDER": "extractive", "KNOBOT_LLM_MODEL": "none", // rag's
		"KNOBOT_ECHO_WAIT": "30s", "KNOBOT_WHATSAPP_RATE": "1000", "KNOBOT_TELEGRAM_RATE": "30", "WHATSAPP_API_VERSION": "v26.0", "WHATSAPP_WABA_ID": "102290129340398", // channels'
		"KNOBOT_GATEWAY_ADDR": "127.0.0.1:9100", "KNOBOT_ADMIN_URL": "http://127.0.0.1:9080", "KNOBOT_DATA_DIR": "/nowhere", // others'
		"KNOBOT_RAG_SERVICE_HOST": "10.0.0.1", "KNOBOT_RAG_PORT_9102_TCP_ADDR": "10.0.0.1", // Kubernetes'
		"KNOBOT_LOG_LEVEL": "debug",
	})
	require.NoError(t, s.Store(t.Context(), "horario.md", hours))
	require.Contains(t, whatsAppCustomer(t, s, "573003330002").ask(saturday).Text, "10:00 a 14:00")
	require.Contains(t, telegramCustomer(t, s, "7302", "").ask(saturday).Text, "10:00 a 14:00")
	for _, secret := range []string{s.Credentials.AccessToken, s.Credentials.VerifyToken, s.Credentials.AppSecret, s.Credentials.BotToken, s.Credentials.SecretToken} {
		require.False(t, strings.Contains(s.Logs(), secret), "a secret stands in a log at level debug")
	}
	require.False(t, strings.Contains(s.Logs(), "sábados"), "what customers wrote stands in a log at level debug")
}

// TestBadEnvironmentPrintsEveryFault starts each program with several faults at once: it names all of them and exits with 1.
func TestBadEnvironmentPrintsEveryFault(t *testing.T) {
	t.Parallel()
	const secret = "canary5e1f"
	shared := []string{
		"KNOBOT_DEBUNCE=1s", "KNOBOT_TYPO=" + secret, // names that nobody reads
		"KNOBOT_DRAIN=soon", "KNOBOT_DEBOUNCE=later", "KNOBOT_ECHO_WAIT=1", "KNOBOT_WORKERS=many", // no durations, no number
		"KNOBOT_LOG_LEVEL=loud", "KNOBOT_ROLE=boss", "KNOBOT_LLM_PROVIDER=magic", "KNOBOT_SIMULATOR_WEBHOOK_URL=nowhere",
		"TELEGRAM_BOT_TOKEN=1:" + secret, "TELEGRAM_BOT_TOKEN_FILE=/nowhere/" + "token", "WHATSAPP_ACCESS_TOKEN=" + secret,
		"KNOBOT_DATABASE_URL=postgres://u:" + secret + "@127.0.0.1:1/db", "KNOBOT_DATABASE_URL_FILE=/nowhere/url",
	}
	everybody := []string{"KNOBOT_DEBUNCE", "KNOBOT_TYPO"}
	for program, own := range map[string][]string{
		"gateway":      {"KNOBOT_DRAIN", "KNOBOT_LOG_LEVEL", "KNOBOT_DATABASE_URL_FILE"},
		"conversation": {"KNOBOT_DRAIN", "KNOBOT_LOG_LEVEL", "KNOBOT_DEBOUNCE", "KNOBOT_WORKERS", "KNOBOT_ROLE", "KNOBOT_DATABASE_URL_FILE"},
		"rag":          {"KNOBOT_DRAIN", "KNOBOT_LOG_LEVEL", "KNOBOT_LLM_PROVIDER", "KNOBOT_DATABASE_URL_FILE"},
		"channels":     {"KNOBOT_DRAIN", "KNOBOT_LOG_LEVEL", "KNOBOT_ECHO_WAIT", "KNOBOT_DATABASE_URL_FILE", "TELEGRAM_BOT_TOKEN_FILE"},
		"simulator":    {"KNOBOT_SIMULATOR_WEBHOOK_URL", "TELEGRAM_BOT_TOKEN_FILE"},
	} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), system.Bin(program))
			cmd.Env = shared
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			require.True(t, errors.As(err, &exit), "%v: %s", err, out)
			require.Equal(t, 1, exit.ExitCode(), "%s", out)
			for _, name := range append(everybody, own...) {
				require.Contains(t, string(out), name)
			}
			require.NotContains(t, string(out), secret)
		})
	}
}
