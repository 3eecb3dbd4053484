// Package localpg runs a PostgreSQL server of its own from the binaries that
// the machine has: on a Unix socket only, as another user when root, ending
// with the process that started it. It is for development and tests.
package localpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/knobot/knobot/platform/child"
	"github.com/knobot/knobot/platform/env"
)

const superuser = "knobot"

// maxSocketDir leaves room for "/.s.PGSQL.5432.lock" in the 107 bytes that a
// Unix socket's path may have.
const maxSocketDir = 80

// Options of a server.
type Options struct {
	// Dir holds the data and is kept. Empty means a temporary folder that Stop
	// removes. It becomes the property of the user that PostgreSQL runs as.
	Dir string
	// Durable keeps fsync on. Tests leave it off.
	Durable bool
	// Output receives what the server writes to its log; nil drops it.
	Output io.Writer
}

// Server is a running server.
type Server struct {
	socketDir string
	thread    *child.Thread
	process   *child.Process
	remove    []string // folders
	once      sync.Once
}

// Start returns once the server accepts connections. A second start with the
// same Dir finds the data of the first; the leftovers of one that was killed
// are cleaned up.
func Start(ctx context.Context, o Options) (*Server, error) {
	s := &Server{}
	if err := s.start(ctx, o); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, o Options) error {
	account, err := lookupAccount()
	if err != nil {
		return err
	}
	dir, err := s.prepareDir(o.Dir, account)
	if err != nil {
		return err
	}
	l := &launcher{dir: dir, data: filepath.Join(dir, "data"), socket: s.socketDir, account: account, options: o}
	if err := l.initialize(ctx); err != nil {
		return err
	}
	if err := l.clearStale(); err != nil {
		return err
	}
	if s.thread, err = child.NewThread(nil); err != nil {
		return err
	}
	s.process, err = l.start(ctx, s.thread)
	return err
}

// Stop shuts the server down fast: connections are cut, data is written.
func (s *Server) Stop() {
	s.once.Do(s.cleanUp)
}

// PID returns the id of the server's first process, whose children serve the connections.
func (s *Server) PID() int { return s.process.PID() }

// Crash ends the server at once, as a power cut would: connections are cut, nothing is written any more, and the next start
// recovers from the log (PostgreSQL's immediate shutdown).
func (s *Server) Crash() {
	_ = syscall.Kill(s.process.PID(), syscall.SIGQUIT)
	<-s.process.Done()
}

// Done is closed when the server has ended, by Stop or by itself.
func (s *Server) Done() <-chan struct{} { return s.process.Done() }

// URL returns the URL of a database, for the superuser or for the given role.
// Roles have no password: whoever can reach the socket's folder may connect.
func (s *Server) URL(database string, role ...string) env.Secret {
	user := superuser
	if len(role) > 0 {
		user = role[0]
	}
	u := url.URL{Scheme: "postgres", User: url.User(user), Path: "/" + database, RawQuery: url.Values{"host": {s.socketDir}}.Encode()}
	return env.Secret(u.String())
}

// prepareDir makes the folders and hands them to the server's user.
func (s *Server) prepareDir(dir string, a account) (string, error) {
	var err error
	if dir == "" {
		if dir, err = s.temporary(a); err != nil {
			return "", err
		}
		s.socketDir = dir
		return dir, nil
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	if err := a.makeDir(dir); err != nil {
		return "", err
	}
	s.socketDir = dir
	if len(dir) > maxSocketDir {
		s.socketDir, err = s.temporary(a)
	}
	return dir, err
}

// temporary makes a folder with a short name, which only the server's user and
// root can enter.
func (s *Server) temporary(a account) (string, error) {
	dir, err := os.MkdirTemp("", "knobot-pg-")
	if err != nil {
		return "", err
	}
	s.remove = append(s.remove, dir)
	if len(dir) > maxSocketDir {
		return "", fmt.Errorf("the path %s is too long for a Unix socket: set TMPDIR to a shorter one", dir)
	}
	return dir, a.own(dir)
}

func (s *Server) cleanUp() {
	s.process.Stop()
	if s.thread != nil {
		s.thread.Close()
	}
	for _, dir := range s.remove {
		_ = os.RemoveAll(dir)
	}
}

// errNotFound tells what to install.
var errNotFound = errors.New("PostgreSQL's binaries were not found: install the package postgresql, or set PG_BIN_DIR to the folder of initdb and postgres")

func firstLines(s string, n int) string {
	lines := strings.SplitN(strings.TrimSpace(s), "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "; ")
}
