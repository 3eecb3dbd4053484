package local

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAdminKeyIsMadeOnceForThisUserOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := AdminKey(dir)
	require.ErrorContains(t, err, "KNOBOT_ADMIN_API_KEY")
	path, err := ensureAdminKey(dir)
	require.NoError(t, err)
	made, err := AdminKey(dir)
	require.NoError(t, err)
	require.Regexp(t, `^admin-[0-9a-f]{64}$`, made)
	again, err := ensureAdminKey(dir)
	require.NoError(t, err)
	require.Equal(t, path, again)
	kept, err := AdminKey(dir)
	require.NoError(t, err)
	require.Equal(t, made, kept)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
