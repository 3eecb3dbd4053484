package command

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// TestKeysetIsRotatedWithoutLosingWhatWasSealed follows the three steps: at each, old and new processes read each other's.
func TestKeysetIsRotatedWithoutLosingWhatWasSealed(t *testing.T) {
	t.Parallel()
	keysets := func(args ...string) string {
		var out, errOut bytes.Buffer
		require.Zero(t, Run(t.Context(), append([]string{"keyset"}, args...), strings.NewReader(""), &out, &errOut), errOut.String())
		require.Equal(t, 1, strings.Count(out.String(), "\n"), "one line")
		return out.String()
	}
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "keyset.json")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	keys := func(text string) tink.AEAD {
		handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(strings.NewReader(text)))
		require.NoError(t, err)
		a, err := aead.New(handle)
		require.NoError(t, err)
		return a
	}
	opens := func(with, sealedBy tink.AEAD) bool {
		sealed, err := sealedBy.Encrypt([]byte("token"), nil)
		require.NoError(t, err)
		opened, err := with.Decrypt(sealed, nil)
		return err == nil && string(opened) == "token"
	}

	first := keysets("new")
	require.NotEqual(t, first, keysets("new"))
	second := keysets("add", file(first))
	third := keysets("promote", file(second))
	before, added, promoted := keys(first), keys(second), keys(third)
	require.True(t, opens(added, before))
	require.True(t, opens(before, added), "the new key does not seal yet")
	require.True(t, opens(added, promoted))
	require.True(t, opens(promoted, before), "what was sealed long ago")
	require.False(t, opens(before, promoted), "now it does")

	var errOut bytes.Buffer
	bad := file(`{"primaryKeyId": 1, "key": "canary"}`)
	require.Equal(t, exitError, Run(t.Context(), []string{"keyset", "add", bad}, nil, &bytes.Buffer{}, &errOut))
	require.NotContains(t, errOut.String(), "canary")
}
