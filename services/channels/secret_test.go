package channels_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/knobot/knobot/services/channels"
)

func TestSecretNeverPrints(t *testing.T) {
	t.Parallel()
	secret := channels.Secret("canary")
	credentials := channels.Credentials{AccessToken: "canary", BotToken: "canary"}
	stored := channels.StoredSecret{Value: secret}
	for _, v := range []any{secret, &secret, credentials, &credentials, stored, &stored, []channels.Secret{secret}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			require.NotContains(t, fmt.Sprintf(verb, v), "canary", verb)
			require.NotContains(t, fmt.Sprintf(verb, v), fmt.Sprintf("%x", "canary"), verb)
		}
		raw, err := json.Marshal(v)
		require.NoError(t, err)
		require.NotContains(t, string(raw), "canary")
		line, err := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()).EncodeEntry(zapcore.Entry{}, []zapcore.Field{zap.Any("v", v)})
		require.NoError(t, err)
		require.NotContains(t, line.String(), "canary")
	}
	require.Equal(t, "canary", secret.Reveal())
}

func TestSetSecret(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

	t.Run("ReplacedOneExpiresAfterItsGrace", func(t *testing.T) {
		t.Parallel()
		var i channels.Integration
		i.SetSecret(channels.WebhookSecret, "one", now)
		i.SetSecret(channels.WebhookSecret, "two", now.Add(time.Hour))
		require.Equal(t, channels.Secret("two"), i.Secret(channels.WebhookSecret))
		require.Equal(t, now.Add(time.Hour+channels.RotationGrace), i.Secrets[0].ExpireTime)
		i.SetSecret(channels.WebhookSecret, "three", now.Add(2*time.Hour))
		require.Equal(t, now.Add(time.Hour+channels.RotationGrace), i.Secrets[0].ExpireTime, "a second rotation prolongs nothing")
		require.Equal(t, []channels.Secret{"three", "two", "one"}, i.ValidSecrets(channels.WebhookSecret))
	})

	t.Run("EmptyRemovesTheCurrentOne", func(t *testing.T) {
		t.Parallel()
		var i channels.Integration
		i.SetSecret(channels.AccessToken, "one", now)
		i.SetSecret(channels.AppSecret, "app", now)
		i.SetSecret(channels.AccessToken, "", now)
		require.Empty(t, i.Secret(channels.AccessToken))
		require.Empty(t, i.ValidSecrets(channels.AccessToken))
		require.Equal(t, channels.Secret("app"), i.Secret(channels.AppSecret))
	})

	t.Run("SameCredentialsEnteredAgainStartAStoppedOne", func(t *testing.T) {
		t.Parallel()
		i := channels.Integration{StopReason: "permission missing"}
		i.SetSecret(channels.AccessToken, "one", now)
		i.StopReason = "permission missing"
		i.SetSecret(channels.AccessToken, " one\n", now)
		require.Empty(t, i.StopReason)
		require.Len(t, i.Secrets, 1)
	})
}
