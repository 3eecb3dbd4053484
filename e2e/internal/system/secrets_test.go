package system

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/leak"
)

func TestEverySecretOfAnEnvironmentIsForbidden(t *testing.T) {
	t.Parallel()
	keyset, err := newKeyset()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte("from-a-file\n"), 0o600))
	var w leak.Watch
	forbidSecrets(&w, map[string]string{
		"WHATSAPP_ACCESS_TOKEN": "access1", "TELEGRAM_BOT_TOKEN": "123456789:botsecret", "WHATSAPP_APP_SECRET": "appsecret",
		"KNOBOT_DATABASE_URL": "postgres://user:password1@127.0.0.1/db", "KNOBOT_ENCRYPTION_KEYSET": keyset,
		"KNOBOT_LLM_API_KEY_FILE": file, "KNOBOT_LOG_LEVEL": "debugging", "WHATSAPP_PHONE_NUMBER_ID": "106540352242922",
	})
	for _, secret := range []string{"access1", "botsecret", "appsecret", "password1", keyset, "from-a-file"} {
		_, leaked := w.Text("x", "a line with "+secret+" in it")
		require.True(t, leaked, secret)
	}
	for _, public := range []string{"123456789", "debugging", "106540352242922", "user", "127.0.0.1", file} {
		_, leaked := w.Text("x", "a line with "+public+" in it")
		require.False(t, leaked, public)
	}
}
