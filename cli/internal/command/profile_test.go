package command

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestProfiles is not parallel: where profiles are kept follows from the environment.
func TestProfiles(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", folder)
	run := func(in string, args ...string) (int, string) {
		var out, errs bytes.Buffer
		code := Run(t.Context(), append([]string{"profile"}, args...), strings.NewReader(in), &out, &errs)
		return code, out.String() + errs.String()
	}
	code, said := run("", "set", "casa", "127.0.0.1:9100")
	require.Zero(t, code, said)
	code, said = run("knobot_7_secret\n", "set", "tienda", "knobot.example:443", "--tls", "--key")
	require.Zero(t, code, said)
	_, said = run("")
	require.Equal(t, "  casa\t127.0.0.1:9100\n* tienda\tknobot.example:443\n", said, "the newest is in use; no key is shown")
	kept, err := os.ReadFile(filepath.Join(folder, "knobot", "config.yaml"))
	require.NoError(t, err)
	require.Contains(t, string(kept), "api_key: knobot_7_secret")

	target, err := server{}.target()
	require.NoError(t, err)
	require.Equal(t, "knobot_7_secret", target.APIKey)
	target, err = server{Server: "127.0.0.1:9102"}.target()
	require.NoError(t, err)
	require.Empty(t, target.APIKey, "a server that is named gets no other's key")

	require.Zero(t, first(run("", "use", "casa")))
	_, said = run("")
	require.Contains(t, said, "* casa")
	require.Zero(t, first(run("", "remove", "casa")))
	code, said = run("", "use", "casa")
	require.NotZero(t, code)
	require.Contains(t, said, "there is no profile of this name")
	code, _ = run("", "set", "vacía", "127.0.0.1:1", "--key")
	require.NotZero(t, code, "no key came")
}

func first(code int, _ string) int { return code }
