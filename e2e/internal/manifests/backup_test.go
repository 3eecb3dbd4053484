package manifests_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/localpg"
	"github.com/knobot/knobot/platform/postgres"
)

// database is a PostgreSQL with the roles and the schemas of KnoBot, and with the scripts that its pods run.
type database struct {
	t      *testing.T
	server *localpg.Server
	folder string // of dumps
	path   string // with PostgreSQL's programs
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	server, err := localpg.Start(t.Context(), localpg.Options{})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	d := &database{t: t, server: server, folder: t.TempDir()}
	d.path = d.value("postgres", `select setting from pg_config where name = 'BINDIR'`) + ":" + os.Getenv("PATH")
	d.prepare("knobot")
	for _, s := range d.schemas() {
		require.NoError(t, s.Migrate(t.Context(), d.url("knobot", s.Name+"_owner"), d.url("knobot", s.Name)))
	}
	d.exec("knobot", "conversation", `insert into conversation.inbound_keys (integration_id, key_sha256, log_id)
		select 'wa-' || n, sha256(n::text::bytea), gen_random_uuid() from generate_series(1, 500) n`)
	d.exec("knobot", "rag", `insert into rag.knowledge_bases (name, display_name) values ('tienda', 'Año "nuevo" \ 100 % ñ')`)
	return d
}

// prepare makes an empty database with the roles' rights. Its second run must change nothing.
func (d *database) prepare(name string) {
	d.t.Helper()
	require.NoError(d.t, d.server.EnsureDatabase(d.t.Context(), name))
	for range 2 {
		out, err := d.run(name, "knobot", nil, "psql", "-X", "-v", "ON_ERROR_STOP=1", "-f", d.file("postgres/roles.sql"))
		require.NoError(d.t, err, out)
	}
}

func (d *database) file(name string) string {
	return filepath.Join(system.Root(), "k8s/components", name)
}

func (d *database) schemas() []postgres.Schema {
	var schemas []postgres.Schema
	for _, name := range []string{"gateway", "conversation", "rag", "channels"} {
		schemas = append(schemas, postgres.Schema{
			Name: name, Migrations: os.DirFS(filepath.Join(system.Root(), "services", name, "migrations")),
		})
	}
	return schemas
}

func (d *database) url(name, role string) env.Secret { return d.server.URL(name, role) }

// run runs a program with the environment of the backup's pods.
func (d *database) run(name, role string, more map[string]string, command string, args ...string) (string, error) {
	d.t.Helper()
	u, err := pgx.ParseConfig(d.url(name, role).Reveal())
	require.NoError(d.t, err)
	environ := map[string]string{
		"PATH": d.path, "PGHOST": u.Host, "PGUSER": role, "PGDATABASE": name, "BACKUP_DIR": d.folder,
		"GATEWAY_PASSWORD": "h", "GATEWAY_OWNER_PASSWORD": "i", "CONVERSATION_PASSWORD": "a'b", "CONVERSATION_OWNER_PASSWORD": "b", "RAG_PASSWORD": "c", "RAG_OWNER_PASSWORD": "d",
		"CHANNELS_PASSWORD": "e", "CHANNELS_OWNER_PASSWORD": "f", "BACKUP_PASSWORD": "g",
	}
	maps.Copy(environ, more)
	path, err := d.lookup(command)
	require.NoError(d.t, err)
	cmd := exec.CommandContext(d.t.Context(), path, args...)
	for k, v := range environ {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// lookup finds a program in PostgreSQL's folder first: Debian keeps most of them off PATH.
func (d *database) lookup(command string) (string, error) {
	bin, _, _ := strings.Cut(d.path, ":")
	if found := filepath.Join(bin, command); exists(found) {
		return found, nil
	}
	return exec.LookPath(command)
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func (d *database) backUp(role string, more map[string]string) (string, error) {
	return d.run("knobot", role, more, "sh", d.file("backup/backup.sh"))
}

func (d *database) restore(name string, more map[string]string) (string, error) {
	return d.run(name, "knobot", more, "sh", d.file("backup/restore.sh"))
}

func (d *database) dumps() []string {
	d.t.Helper()
	entries, err := os.ReadDir(d.folder)
	require.NoError(d.t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (d *database) exec(name, role, sql string) {
	d.t.Helper()
	require.NoError(d.t, d.try(name, role, sql))
}

func (d *database) try(name, role, sql string) error {
	d.t.Helper()
	conn, err := pgx.Connect(d.t.Context(), d.url(name, role).Reveal())
	require.NoError(d.t, err)
	defer func() { _ = conn.Close(d.t.Context()) }()
	_, err = conn.Exec(d.t.Context(), sql)
	return err
}

func (d *database) value(name, sql string) string {
	d.t.Helper()
	conn, err := pgx.Connect(d.t.Context(), d.url(name, "knobot").Reveal())
	require.NoError(d.t, err)
	defer func() { _ = conn.Close(d.t.Context()) }()
	var v string
	require.NoError(d.t, conn.QueryRow(d.t.Context(), sql).Scan(&v))
	return v
}

// digest is what all tables hold, whom they belong to and who may do what with them.
func (d *database) digest(name string) map[string]string {
	d.t.Helper()
	digest := map[string]string{}
	tables := d.value(name, `select coalesce(string_agg(schemaname || '.' || tablename, ' ' order by 1), '') from pg_tables
		where schemaname in ('gateway', 'conversation', 'rag', 'channels')`)
	for _, table := range strings.Fields(tables) {
		digest[table] = d.value(name, `select count(*) || ' ' || coalesce(md5(string_agg(r::text, '|' order by r::text)), '') from `+table+` r`) +
			d.value(name, `select ' ' || relowner::regrole || ' ' || coalesce(relacl::text, '') from pg_class where oid = '`+table+`'::regclass`)
	}
	return digest
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	for _, old := range []string{"knobot-20200101T000000Z.dump", "knobot-20200102T000000Z.dump", "notes.txt"} {
		require.NoError(t, os.WriteFile(filepath.Join(d.folder, old), []byte("x"), 0o600))
	}

	out, err := d.backUp("conversation", nil)
	require.Error(t, err, "a role that may not read everything makes no backup: %s", out)
	require.Len(t, d.dumps(), 3, "and leaves nothing behind")

	out, err = d.backUp("knobot_backup", map[string]string{"BACKUP_KEEP": "2"})
	require.NoError(t, err, out)
	dumps := d.dumps()
	require.Len(t, dumps, 3)
	require.Equal(t, "knobot-20200102T000000Z.dump", dumps[0], "the newest two are kept")
	require.Equal(t, "notes.txt", dumps[2], "what is no dump is left alone")
	before := d.digest("knobot")
	require.Greater(t, len(before), 20)

	out, err = d.restore("knobot", nil)
	require.Error(t, err)
	require.Contains(t, out, "has data already (schemas: ")
	require.Equal(t, before, d.digest("knobot"))

	d.prepare("restored")
	whole, err := os.ReadFile(filepath.Join(d.folder, dumps[1]))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(d.folder, "torn"), whole[:len(whole)*3/4], 0o600))
	out, err = d.restore("restored", map[string]string{"RESTORE_FILE": "torn"})
	require.Error(t, err, out)
	require.Empty(t, d.digest("restored"), "all or nothing")

	out, err = d.restore("restored", nil)
	require.NoError(t, err, out)
	require.Contains(t, out, "restored "+dumps[1], "the newest")
	require.Equal(t, before, d.digest("restored"), "rows, owners and rights")

	for _, s := range d.schemas() {
		require.NoError(t, s.Migrate(t.Context(), d.url("restored", s.Name+"_owner"), d.url("restored", s.Name)), "it goes on from there")
	}
	d.exec("restored", "conversation", `delete from conversation.inbound_keys`)
	require.ErrorContains(t, d.try("restored", "conversation", `drop table conversation.inbound_keys`), "must be owner")
	require.ErrorContains(t, d.try("restored", "rag", `select from conversation.inbound_keys`), "permission denied")

	require.NoError(t, os.RemoveAll(d.folder))
	require.NoError(t, os.Mkdir(d.folder, 0o700))
	out, err = d.restore("empty", map[string]string{"PGDATABASE": "restored"})
	require.Error(t, err)
	require.Contains(t, out, "there is no dump in ")
}
