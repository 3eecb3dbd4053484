package local

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAdminKeyIsMadeOnceForThisUserOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.Empty(t, AdminKey(dir))
	path, err := ensureAdminKey(dir)
	require.NoError(t, err)
	made := AdminKey(dir)
	require.Regexp(t, `^admin-[0-9a-f]{64}$`, made)
	again, err := ensureAdminKey(dir)
	require.NoError(t, err)
	require.Equal(t, path, again)
	require.Equal(t, made, AdminKey(dir))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
