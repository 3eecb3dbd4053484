package leak_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/leak"
)

const secret = `pl4nted"Secret/ñ+42`

// search writes a log and searches it.
func search(t *testing.T, text string) []leak.Leak {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	var w leak.Watch
	w.Forbid("the secret", secret)
	w.Forbid("the other", "anotherone")
	w.Follow("gateway", path)
	found, err := w.Search()
	require.NoError(t, err)
	return found
}

func TestPlantedSecretIsFoundInEveryForm(t *testing.T) {
	t.Parallel()
	inJSON, err := json.Marshal(map[string]string{"msg": "x", "token": secret})
	require.NoError(t, err)
	for name, line := range map[string]string{
		"as it is":              "token=" + secret,
		"alone":                 secret,
		"at the end":            strings.Repeat("x", 1<<17) + secret,
		"JSON":                  string(inJSON),
		"query":                 "GET /?hub.verify_token=" + url.QueryEscape(secret),
		"path":                  "POST /bot" + url.PathEscape(secret) + "/getMe",
		"hexadecimal":           hex.EncodeToString([]byte(secret)),
		"base64":                base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 of more":        base64.StdEncoding.EncodeToString([]byte("a" + secret + "b")),
		"base64 of still more":  base64.StdEncoding.EncodeToString([]byte("ab" + secret + "bcd")),
		"base64 of URLs":        base64.URLEncoding.EncodeToString([]byte("abc" + secret)),
		"base64 without an end": base64.RawStdEncoding.EncodeToString([]byte("abcd" + secret)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := search(t, "first\nsecond\n"+line+"\nlast")
			require.Len(t, found, 1)
			require.Equal(t, "gateway", found[0].Program)
			require.Equal(t, 3, found[0].Line)
			require.Equal(t, "the secret", found[0].Name)
		})
	}
}

func TestReportDoesNotRepeatTheSecret(t *testing.T) {
	t.Parallel()
	found := search(t, "before anotherone between "+secret+" after")
	require.Len(t, found, 1, "one a line is enough")
	require.Equal(t, `gateway printed the other in line 1 of its log, after "before "`, found[0].String())
}

func TestEveryLineIsReported(t *testing.T) {
	t.Parallel()
	require.Len(t, search(t, secret+"\nclean\n"+secret+"\n"+secret), 3)
}

func TestCleanLogIsClean(t *testing.T) {
	t.Parallel()
	require.Empty(t, search(t, "nothing\n\n"+secret[:len(secret)-1]+"\n"+secret[1:]+"\n"))
}

func TestShortValuesAreLeftOut(t *testing.T) {
	t.Parallel()
	var w leak.Watch
	w.Forbid("short", "TEST")
	w.Forbid("empty", "")
	_, leaked := w.Text("gateway", "a TEST")
	require.False(t, leaked)
}

func TestTextOfAnErrorIsSearched(t *testing.T) {
	t.Parallel()
	var w leak.Watch
	w.Forbid("the secret", secret)
	found, leaked := w.Text("channels", "rpc error: "+secret)
	require.True(t, leaked)
	require.Equal(t, "rpc error: ", found.Excerpt)
}

func TestMissingLogIsAnError(t *testing.T) {
	t.Parallel()
	var w leak.Watch
	w.Follow("rag", filepath.Join(t.TempDir(), "none"))
	_, err := w.Search()
	require.Error(t, err)
}
