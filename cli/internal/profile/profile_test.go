package profile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/cli/internal/profile"
)

func TestProfilesAreKeptForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "knobot", "config.yaml")
	none, err := profile.Load(path)
	require.NoError(t, err)
	_, found, err := none.Find("")
	require.NoError(t, err)
	require.False(t, found, "no file, no profile")

	none.Current = "tienda"
	none.ByName["tienda"] = profile.Profile{Server: "knobot.example:443", APIKey: "knobot_1_x", TLS: true}
	require.NoError(t, none.Save(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())

	kept, err := profile.Load(path)
	require.NoError(t, err)
	current, found, err := kept.Find("")
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, none.ByName["tienda"], current)
	_, _, err = kept.Find("otra")
	require.ErrorIs(t, err, profile.ErrUnknown)
}

func TestMistypedSettingIsNamed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte("profiles:\n  a:\n    sever: x\n"), 0o600))
	_, err := profile.Load(path)
	require.ErrorContains(t, err, `unknown field "sever"`)
}
