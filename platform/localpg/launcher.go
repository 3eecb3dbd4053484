package localpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/knobot/knobot/platform/child"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 20 * time.Second
	pollInterval = 10 * time.Millisecond
)

// launcher knows how to run PostgreSQL's programs in a data folder.
type launcher struct {
	dir, data, socket string
	account           account
	options           Options
}

// initialize makes the data folder, unless it is there.
func (l *launcher) initialize(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(l.data, "PG_VERSION")); err == nil {
		return nil
	}
	args := []string{"-D", l.data, "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"}
	if !l.options.Durable {
		args = append(args, "--no-sync")
	}
	bin, err := l.find("initdb")
	if err != nil {
		return err
	}
	cmd := l.command(ctx, bin, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, firstLines(string(out), 5))
	}
	return nil
}

// start runs the server and waits until it says that it is ready.
func (l *launcher) start(ctx context.Context, t *child.Thread) (*child.Process, error) {
	bin, err := l.find("postgres")
	if err != nil {
		return nil, err
	}
	tail := &child.Tail{Next: l.options.Output}
	// The server outlives ctx, which bounds the start only.
	cmd := l.command(context.WithoutCancel(ctx), bin, l.serverArgs()...)
	cmd.Stdout, cmd.Stderr = tail, tail
	// An interrupt is PostgreSQL's fast shutdown.
	p, err := child.Start(t, cmd, syscall.SIGINT, stopTimeout)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if err := l.awaitReady(ctx, p); err != nil {
		p.Stop()
		return nil, fmt.Errorf("postgres: %w: %s", err, firstLines(tail.String(), 5))
	}
	return p, nil
}

func (l *launcher) serverArgs() []string {
	settings := []string{
		"listen_addresses=",   // the Unix socket only
		"max_connections=600", // several whole systems at a time, each with replicas
		"logging_collector=off",
		"log_min_messages=warning",
		"unix_socket_directories=" + l.socket,
	}
	if !l.options.Durable {
		settings = append(settings, "fsync=off", "full_page_writes=off", "synchronous_commit=off")
	}
	args := []string{"-D", l.data}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return args
}

func (l *launcher) command(ctx context.Context, bin string, args ...string) *exec.Cmd {
	cmd := child.Command(ctx, bin, args...)
	cmd.Dir = l.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "HOME="+l.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: l.account.credential}
	return cmd
}

// awaitReady reads postmaster.pid: its last line says "ready", and its first
// one is our child's id, not that of a server before.
func (l *launcher) awaitReady(ctx context.Context, p *child.Process) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", ctx.Err())
		case <-p.Done():
			return errors.New("it ended at once")
		case <-tick.C:
			lines, err := l.pidFile()
			if err == nil && len(lines) >= 8 && lines[0] == strconv.Itoa(p.PID()) && lines[7] == "ready" {
				return nil
			}
		}
	}
}

func (l *launcher) pidFile() ([]string, error) {
	raw, err := os.ReadFile(filepath.Join(l.data, "postmaster.pid"))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(raw), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines, nil
}

// clearStale removes the lock files of a server that was killed. PostgreSQL
// does so itself, unless the process id was given to another process since,
// which in a container is the rule.
func (l *launcher) clearStale() error {
	lines, err := l.pidFile()
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if pid, err := strconv.Atoi(lines[0]); err == nil && l.serves(pid) {
		return fmt.Errorf("%s is in use by the PostgreSQL server with process id %d", l.data, pid)
	}
	_ = os.Remove(filepath.Join(l.data, "postmaster.pid"))
	_ = os.Remove(filepath.Join(l.socket, ".s.PGSQL.5432.lock"))
	_ = os.Remove(filepath.Join(l.socket, ".s.PGSQL.5432"))
	return nil
}

// serves reports whether pid is a PostgreSQL server of this data folder.
func (l *launcher) serves(pid int) bool {
	cmdline, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return false
	}
	args := bytes.Split(cmdline, []byte{0})
	return strings.HasSuffix(string(args[0]), "postgres") && slices.ContainsFunc(args, func(a []byte) bool {
		return string(a) == l.data
	})
}

// find returns a program of the newest PostgreSQL, or of the version that the
// data folder was made with. Debian keeps them off PATH.
func (l *launcher) find(name string) (string, error) {
	if dir := os.Getenv("PG_BIN_DIR"); dir != "" {
		return filepath.Join(dir, name), nil
	}
	made, _ := os.ReadFile(filepath.Join(l.data, "PG_VERSION"))
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	slices.SortFunc(found, func(a, b string) int { return major(b) - major(a) })
	for _, bin := range found {
		if len(made) == 0 || strconv.Itoa(major(bin)) == strings.TrimSpace(string(made)) {
			return bin, nil
		}
	}
	if bin, err := exec.LookPath(name); err == nil {
		return bin, nil
	}
	return "", errNotFound
}

func major(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(bin))))
	return n
}

// Installed says whether PostgreSQL's programs are on this machine.
func Installed() bool {
	l := &launcher{}
	_, err := l.find("initdb")
	return err == nil
}
