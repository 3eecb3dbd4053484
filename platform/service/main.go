// Package service runs a program: it reads the configuration, makes the gRPC
// server with its chain, serves until a signal comes and stops in an order
// that loses nothing.
package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc/resolver/dns"

	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/logging"
	"github.com/knobot/knobot/platform/telemetry"
)

const (
	exitOK = iota
	exitError
	exitUsage
)

const (
	migrateWait  = 5 * time.Minute // for a database that is being started
	migratePause = time.Second
)

// Run builds a service from its parts and ends with return s.Serve(ctx).
type Run[C any] func(ctx context.Context, cfg C, s *Service) error

// Option adds to a program.
type Option[C any] func(*program[C])

// WithMigrate adds the `migrate` subcommand. An error of kind
// fault.Unavailable is tried again if --wait is given.
func WithMigrate[C any](f func(ctx context.Context, cfg C, log *zap.Logger) error) Option[C] {
	return func(p *program[C]) { p.migrate = f }
}

// Main is the whole of a service's main function:
//
//	os.Exit(service.Main("rag", service.Defaults{…}, run, service.WithMigrate(migrate)))
//
// C embeds [Config]. Without arguments it serves; `migrate [--wait]` brings
// the schema up to date and `version` prints the build. A faulty environment
// is printed in full and gives 1, a wrong command line 2.
func Main[C any](name string, defaults Defaults, run func(ctx context.Context, cfg C, s *Service) error, opts ...Option[C]) int {
	// Without it, DNS is asked again only after 30 s, and a roll of a peer
	// loses a third of the calls (measured). It must precede every dial.
	dns.SetMinResolutionInterval(time.Second)

	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	p := &program[C]{
		name: name, defaults: defaults, run: run,
		args: os.Args[1:], environ: os.Environ(), signals: signals,
		stdout: os.Stdout, stderr: os.Stderr,
	}
	for _, o := range opts {
		o(p)
	}
	return p.main(context.Background())
}

// program is one invocation; tests make their own.
type program[C any] struct {
	name     string
	defaults Defaults
	run      Run[C]
	migrate  func(context.Context, C, *zap.Logger) error

	args, environ  []string
	signals        <-chan os.Signal
	stdout, stderr io.Writer
}

func (p *program[C]) main(ctx context.Context) int {
	switch {
	case len(p.args) == 0:
		return p.configured(ctx, p.serve)
	case p.args[0] == "version" && len(p.args) == 1:
		_, _ = fmt.Fprintln(p.stdout, p.name, Version())
		return exitOK
	case p.args[0] == "migrate" && p.migrate != nil && p.onlyWait(p.args[1:]):
		return p.configured(ctx, p.migrateSchema)
	default:
		p.usage()
		return exitUsage
	}
}

func (p *program[C]) onlyWait(args []string) bool {
	return len(args) == 0 || len(args) == 1 && args[0] == "--wait"
}

func (p *program[C]) usage() {
	_, _ = fmt.Fprintf(p.stderr, "usage: %s            serve\n", p.name)
	if p.migrate != nil {
		_, _ = fmt.Fprintf(p.stderr, "       %s migrate    bring the schema up to date; --wait: wait for the database\n", p.name)
	}
	_, _ = fmt.Fprintf(p.stderr, "       %s version    print the version\n", p.name)
}

// collectLess sets how garbage is collected where nobody has set GOGC.
func (p *program[C]) collectLess() {
	if !slices.ContainsFunc(p.environ, func(e string) bool { return strings.HasPrefix(e, "GOGC=") }) {
		debug.SetGCPercent(cmp.Or(p.defaults.GarbagePercent, garbagePercent))
	}
}

// configured loads the configuration and gives it and a logger to next.
func (p *program[C]) configured(ctx context.Context, next func(context.Context, C, *Config, *zap.Logger) error) int {
	var cfg C
	holder, ok := any(&cfg).(interface{ common() *Config })
	if !ok {
		_, _ = fmt.Fprintf(p.stderr, "%s: %T does not embed service.Config\n", p.name, cfg)
		return exitError
	}
	base := holder.common()
	base.GRPCAddr, base.DebugAddr = p.defaults.GRPCAddr, p.defaults.DebugAddr
	if err := env.LoadFrom(&cfg, p.environ); err != nil {
		_, _ = fmt.Fprintf(p.stderr, "%s: %v\n", p.name, err)
		return exitError
	}
	p.collectLess()
	log, level, err := logging.New(p.stderr, p.name, base.LogLevel)
	if err != nil {
		_, _ = fmt.Fprintf(p.stderr, "%s: %v\n", p.name, err)
		return exitError
	}
	base.level = level
	if err := next(ctx, cfg, base, log); err != nil {
		log.Error("failed", zap.Error(err))
		return exitError
	}
	return exitOK
}

func (p *program[C]) serve(ctx context.Context, cfg C, base *Config, log *zap.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := newService(ctx, p.name, base, log)
	if err != nil {
		return err
	}
	go s.watch(ctx, cancel, p.signals)
	err = p.run(ctx, cfg, s)
	s.close(ctx) // after Serve this does nothing
	return err
}

func (p *program[C]) migrateSchema(ctx context.Context, cfg C, _ *Config, log *zap.Logger) error {
	ctx, stop := interrupted(ctx, p.signals)
	defer stop()
	if len(p.args) == 1 {
		return p.migrate(ctx, cfg, log)
	}
	ctx, cancel := context.WithTimeout(ctx, migrateWait)
	defer cancel()
	for {
		err := p.migrate(ctx, cfg, log)
		if !fault.IsKind(err, fault.Unavailable) {
			return err
		}
		log.Info("waiting for the database", zap.Error(err))
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(migratePause):
		}
	}
}

// interrupted returns a context that the first signal ends.
func interrupted(ctx context.Context, signals <-chan os.Signal) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// Version is the version that the program was built as.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (version == "" || version == "(devel)") {
			version = s.Value
		}
	}
	return version
}

// newTelemetry is split off to keep the constructor readable.
func newTelemetry(ctx context.Context, name string) (*telemetry.Telemetry, error) {
	return telemetry.New(ctx, name, Version())
}
