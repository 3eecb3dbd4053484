package system

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"

	"github.com/knobot/knobot/e2e/internal/leak"
)

// forbidSecrets keeps every secret of an environment out of the logs.
func forbidSecrets(w *leak.Watch, env map[string]string) {
	for name, value := range env {
		if file, ok := strings.CutSuffix(name, "_FILE"); ok {
			if content, err := os.ReadFile(value); err == nil { //nolint:gosec // the test that set the name chose the file
				name, value = file, strings.TrimSpace(string(content))
			}
		}
		switch {
		case name == "KNOBOT_ENCRYPTION_KEYSET":
			forbidKeyset(w, value)
		case name == "TELEGRAM_BOT_TOKEN":
			_, secret, _ := strings.Cut(value, ":") // the bot's id before the colon is public
			w.Forbid(name, secret)
		case isSecret(name):
			w.Forbid(name, value)
		}
		if u, err := url.Parse(value); err == nil && u.User != nil {
			password, _ := u.User.Password()
			w.Forbid("the password in "+name, password)
		}
	}
}

func isSecret(name string) bool {
	for _, word := range []string{"TOKEN", "SECRET", "KEY", "PASSWORD"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// forbidKeyset forbids the key material of a Tink keyset in JSON.
func forbidKeyset(w *leak.Watch, keyset string) {
	var set struct {
		Key []struct {
			KeyData struct {
				Value string `json:"value"`
			} `json:"keyData"`
		} `json:"key"`
	}
	_ = json.Unmarshal([]byte(keyset), &set)
	for _, key := range set.Key {
		w.Forbid("key material of KNOBOT_ENCRYPTION_KEYSET", key.KeyData.Value)
	}
}
