package apikey

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSecretsLeadToTheirKeyAndDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		id := newID()
		secret := newSecret(id)
		found, ok := idOf(secret)
		require.True(t, ok, "%q", id)
		require.Equal(t, id, found)
		require.True(t, IsSecret(secret))
		require.False(t, seen[id] || seen[secret])
		seen[id], seen[secret] = true, true
	}
}

// FuzzSecret reads what anybody may send: it is refused, or it is exactly a secret's form.
func FuzzSecret(f *testing.F) {
	valid := newSecret(newID())
	for _, s := range []string{
		valid, "", "knobot_", "knobot__", valid + "x", valid[1:], strings.ToUpper(valid), strings.Replace(valid, "_", "-", 1),
		valid[:len(valid)-1] + "ñ", valid[:len(valid)-1] + "\x00", "knobot_" + strings.Repeat("0", 13) + "_" + strings.Repeat("0", 42),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := idOf(s)
		if !ok {
			return
		}
		rest := strings.TrimPrefix(s, "knobot_"+id+"_")
		require.Equal(t, "knobot_"+id+"_"+rest, s)
		require.Empty(t, strings.Trim(id+rest, alphabet))
		require.Len(t, id, 13)
		require.Len(t, rest, 43)
	})
}
