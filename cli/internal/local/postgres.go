package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/knobot/knobot/platform/localpg"
)

// database is our own PostgreSQL with two roles per service: the owner, which migrates, and one that may only read and write.
type database struct{ server *localpg.Server }

const databaseName = "knobot"

func (d *database) ownerURL(service string) string {
	return d.server.URL(databaseName, service+"_owner").Reveal()
}

func (d *database) servingURL(service string) string {
	return d.server.URL(databaseName, service).Reveal()
}

// startDatabase starts PostgreSQL on a Unix socket, installing it first where that is possible.
func startDatabase(ctx context.Context, dataDir string, say func(string, ...any)) (*database, error) {
	if err := ensurePostgres(ctx, say); err != nil {
		return nil, err
	}
	server, err := localpg.Start(ctx, localpg.Options{Dir: filepath.Join(dataDir, "postgres"), Durable: true})
	if err != nil {
		return nil, err
	}
	d := &database{server: server}
	if err := d.prepare(ctx); err != nil {
		server.Stop()
		return nil, err
	}
	return d, nil
}

func (d *database) prepare(ctx context.Context) error {
	if err := d.server.EnsureDatabase(ctx, databaseName); err != nil {
		return err
	}
	for _, s := range specs() {
		if !s.schema {
			continue
		}
		for _, role := range []string{s.name + "_owner", s.name} {
			if err := d.server.EnsureRole(ctx, role); err != nil {
				return err
			}
		}
		if err := d.server.AllowSchemas(ctx, databaseName, s.name+"_owner"); err != nil {
			return err
		}
	}
	return nil
}

// ensurePostgres installs Debian's package when there is none and this user may; otherwise it says what to install.
func ensurePostgres(ctx context.Context, say func(string, ...any)) error {
	if localpg.Installed() {
		return nil
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return errors.New("PostgreSQL is not installed: install your system's package (Debian and Ubuntu: sudo apt-get install postgresql) or set KNOBOT_DATABASE_URL")
	}
	say("Installing PostgreSQL (apt-get install postgresql) …")
	// The package would start a cluster of its own; KnoBot runs one in its own folder.
	const conf = "/etc/postgresql-common/createcluster.conf"
	if _, err := os.Stat(conf); errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(conf), 0o755); err != nil { //nolint:gosec // a system folder that everybody reads
			return err
		}
		if err := os.WriteFile(conf, []byte("create_main_cluster = false\n"), 0o644); err != nil { //nolint:gosec // as Debian ships it
			return err
		}
	}
	env := append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if err := runOnce(ctx, env, apt, "update", "-q"); err != nil {
		return err
	}
	if err := runOnce(ctx, env, apt, "install", "-yq", "--no-install-recommends", "postgresql"); err != nil {
		return err
	}
	if !localpg.Installed() {
		return fmt.Errorf("PostgreSQL was installed, but its programs were not found")
	}
	return nil
}
