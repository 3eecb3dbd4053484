package localpg_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/localpg"
)

func start(t *testing.T, o localpg.Options) *localpg.Server {
	t.Helper()
	s, err := localpg.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func show(t *testing.T, conn *pgx.Conn, setting string) string {
	t.Helper()
	var v string
	require.NoError(t, conn.QueryRow(t.Context(), "select current_setting($1)", setting).Scan(&v))
	return v
}

// dataDir is a folder that PostgreSQL's user can reach, which those of
// t.TempDir are not for root.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "knobot-pgtest-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o711))
	return filepath.Join(dir, "postgres")
}

func TestTemporaryServer(t *testing.T) {
	t.Parallel()
	s := start(t, localpg.Options{})
	conn := connect(t, s.URL("postgres").Reveal())
	require.Empty(t, show(t, conn, "listen_addresses"), "nothing on the network")
	require.Equal(t, "off", show(t, conn, "fsync"))
	require.Equal(t, "600", show(t, conn, "max_connections"))

	socket := show(t, conn, "unix_socket_directories")
	info, err := os.Stat(socket)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "others cannot reach the socket")

	s.Stop()
	<-s.Done()
	require.NoDirExists(t, socket)
}

func TestDataOutlivesTheServer(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)

	first := start(t, localpg.Options{Dir: dir, Durable: true})
	require.NoError(t, first.EnsureDatabase(t.Context(), "knobot"))
	conn := connect(t, first.URL("knobot").Reveal())
	require.Equal(t, "on", show(t, conn, "fsync"))
	_, err := conn.Exec(t.Context(), "create table kept as select 7 as n")
	require.NoError(t, err)

	_, err = localpg.Start(t.Context(), localpg.Options{Dir: dir})
	require.ErrorContains(t, err, "is in use by the PostgreSQL server")
	first.Stop()

	second := start(t, localpg.Options{Dir: dir, Durable: true})
	require.NoError(t, second.EnsureDatabase(t.Context(), "knobot"), "it is there already")
	var n int
	require.NoError(t, connect(t, second.URL("knobot").Reveal()).QueryRow(t.Context(), "select n from kept").Scan(&n))
	require.Equal(t, 7, n)
}

func TestStaleLockFilesAreCleared(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	first := start(t, localpg.Options{Dir: dir})
	pidFile := filepath.Join(dir, "data", "postmaster.pid")
	left, err := os.ReadFile(pidFile)
	require.NoError(t, err)
	first.Stop()

	// As after a kill, with the id given to another living process: us.
	lines := strings.SplitN(string(left), "\n", 2)
	stale := []byte(strings.Join([]string{strconv.Itoa(os.Getppid()), lines[1]}, "\n"))
	require.NoError(t, os.WriteFile(pidFile, stale, 0o600))
	second := start(t, localpg.Options{Dir: dir})
	connect(t, second.URL("postgres").Reveal())
}

func TestLongPathsGetAShortSocket(t *testing.T) {
	t.Parallel()
	s := start(t, localpg.Options{Dir: filepath.Join(dataDir(t), strings.Repeat("long-", 25))})
	connect(t, s.URL("postgres").Reveal())
}

func TestRoles(t *testing.T) {
	t.Parallel()
	s := start(t, localpg.Options{})
	ctx := t.Context()
	require.NoError(t, s.EnsureDatabase(ctx, "knobot"))
	for range 2 {
		require.NoError(t, s.EnsureRole(ctx, "rag_owner"))
	}
	conn := connect(t, s.URL("knobot", "rag_owner").Reveal())
	_, err := conn.Exec(ctx, "create schema rag")
	require.ErrorContains(t, err, "permission denied")
	require.NoError(t, s.AllowSchemas(ctx, "knobot", "rag_owner"))
	_, err = conn.Exec(ctx, "create schema rag")
	require.NoError(t, err)
}

func TestMissingBinariesAreNamed(t *testing.T) {
	t.Setenv("PG_BIN_DIR", t.TempDir())
	_, err := localpg.Start(t.Context(), localpg.Options{})
	require.ErrorContains(t, err, "initdb")
}
