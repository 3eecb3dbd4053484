// Package localweaviate runs a Weaviate server of its own, reachable over
// loopback only, ending with the process that started it. It is for
// development and tests.
//
// Weaviate's gRPC and cluster ports listen on all interfaces and no setting
// changes that (server 1.35.2, adapters/handlers/grpc/server.go and
// rest/clusterapi/serve.go, read 2026-11-23). Where allowed, which is as root
// on Linux, the server therefore runs in a network namespace of its own, and
// forwarders on 127.0.0.1 lead into it. Elsewhere an API key and cluster
// credentials, both random, keep others out.
package localweaviate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/child"
	"github.com/knobot/knobot/platform/env"
)

const (
	readyTimeout = 60 * time.Second
	stopTimeout  = 5 * time.Second
	pollInterval = 50 * time.Millisecond
)

// Options of a server. The zero value is a temporary server on free ports.
type Options struct {
	// Binary is the server's program; empty means that of Binary().
	Binary string
	// Dir holds the data and is kept; empty means a temporary folder that Stop
	// removes.
	Dir string
	// HTTPPort and GRPCPort are the ports on 127.0.0.1; 0 means free ones.
	HTTPPort, GRPCPort int
	// APIKey is the key that callers show; empty means a random one.
	APIKey env.Secret
	// Output receives the server's log; nil drops it.
	Output io.Writer
	// Logger hears how the server is shielded; nil is silent.
	Logger *zap.Logger

	direct bool // no namespace even where it is allowed
}

// Server is a running server.
type Server struct {
	HTTPURL  string     // http://127.0.0.1:port
	GRPCAddr string     // 127.0.0.1:port
	APIKey   env.Secret // for "Authorization: Bearer …"

	host       *host
	forwarders []*forwarder
	process    *child.Process
	remove     string
	once       sync.Once
}

// Start returns once the server says that it is ready, which takes about two
// and a half seconds.
func Start(ctx context.Context, o Options) (*Server, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	s := &Server{APIKey: o.APIKey}
	if err := s.start(ctx, o); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, o Options) (err error) {
	if o.Dir == "" {
		o.Dir, err = os.MkdirTemp("", "knobot-weaviate-")
		s.remove = o.Dir
	} else {
		err = os.MkdirAll(o.Dir, 0o700)
	}
	if err != nil {
		return err
	}
	if s.host, err = newHost(o); err != nil {
		return err
	}
	p, err := s.host.ports(ctx, o)
	if err != nil {
		return err
	}
	if err := s.expose(ctx, o, p); err != nil {
		return err
	}
	return s.run(ctx, o, p)
}

func (o Options) complete() (Options, error) {
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.APIKey == "" {
		o.APIKey = env.Secret(rand.Text())
	}
	var err error
	if o.Binary == "" {
		o.Binary, err = Binary()
	}
	if err == nil && o.Dir != "" {
		o.Dir, err = filepath.Abs(o.Dir)
	}
	return o, err
}

// Binary finds the server: KNOBOT_TEST_WEAVIATE_BINARY, else bin/weaviate-server
// beside the go.work above the working directory.
func Binary() (string, error) {
	if path := os.Getenv("KNOBOT_TEST_WEAVIATE_BINARY"); path != "" {
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("weaviate-server: no go.work above the working directory; set KNOBOT_TEST_WEAVIATE_BINARY")
		}
	}
	path := filepath.Join(dir, "bin", "weaviate-server")
	if _, err := exec.LookPath(path); err != nil {
		return "", fmt.Errorf("weaviate-server is not built: run `make build`, or set KNOBOT_TEST_WEAVIATE_BINARY: %w", err)
	}
	return path, nil
}

// run starts the program and waits until it is ready.
func (s *Server) run(ctx context.Context, o Options, p ports) error {
	tail := &child.Tail{Next: o.Output}
	cmd := child.Command(context.WithoutCancel(ctx), o.Binary,
		"--host", "127.0.0.1", "--port", strconv.Itoa(p.http), "--scheme", "http")
	cmd.Env, cmd.Dir = environment(o, p), o.Dir
	cmd.Stdout, cmd.Stderr = tail, tail
	var err error
	if s.process, err = child.Start(s.host.thread, cmd, syscall.SIGTERM, stopTimeout); err != nil {
		return fmt.Errorf("weaviate-server: %w", err)
	}
	if err := s.awaitReady(ctx); err != nil {
		return fmt.Errorf("weaviate-server: %w\n%s", err, tail)
	}
	return nil
}

func (s *Server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", ctx.Err())
		case <-s.process.Done():
			return errors.New("it ended at once")
		case <-tick.C:
			if s.answersReady(ctx, client) {
				return nil
			}
		}
	}
}

func (s *Server) answersReady(ctx context.Context, client *http.Client) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.HTTPURL+"/v1/.well-known/ready", http.NoBody)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode == http.StatusOK && s.grpcAnswers(ctx)
}

// grpcAnswers waits for the gRPC port too, which opens on its own.
func (s *Server) grpcAnswers(ctx context.Context) bool {
	conn, err := s.host.dial(ctx, s.grpcTarget())
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func (s *Server) grpcTarget() string {
	if len(s.forwarders) == 2 {
		return s.forwarders[1].target
	}
	return s.GRPCAddr
}

// PID returns the id of the server's process.
func (s *Server) PID() int { return s.process.PID() }

// Done is closed when the server has ended, by Stop or by itself.
func (s *Server) Done() <-chan struct{} { return s.process.Done() }

// Stop ends the server: it is asked first and killed after five seconds.
func (s *Server) Stop() { s.once.Do(s.cleanUp) }

func (s *Server) cleanUp() {
	for _, f := range s.forwarders {
		f.close()
	}
	s.process.Stop()
	if s.host != nil {
		s.host.thread.Close()
	}
	if s.remove != "" {
		_ = os.RemoveAll(s.remove)
	}
}

// expose sets the addresses that callers use, forwarding where needed.
func (s *Server) expose(ctx context.Context, o Options, p ports) error {
	httpAddr, grpcAddr := loopback(p.http), loopback(p.grpc)
	if s.host.isolated {
		for _, way := range []struct {
			outside int
			target  string
			addr    *string
		}{{o.HTTPPort, httpAddr, &httpAddr}, {o.GRPCPort, grpcAddr, &grpcAddr}} {
			f, err := forward(ctx, loopback(way.outside), way.target, s.host.dial)
			if err != nil {
				return err
			}
			s.forwarders = append(s.forwarders, f)
			*way.addr = f.addr()
		}
	}
	s.HTTPURL, s.GRPCAddr = "http://"+httpAddr, grpcAddr
	return nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
