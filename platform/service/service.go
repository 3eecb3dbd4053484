package service

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"github.com/knobot/knobot/platform/rpc"
	"github.com/knobot/knobot/platform/telemetry"
)

// Liveness is the health service's name that stays SERVING while the process
// drains; "" is its readiness.
const Liveness = "live"

// Service is a running program: its server, its listeners, its background work
// and what must be closed at the end.
type Service struct {
	cfg       *Config
	log       *zap.Logger
	telemetry *telemetry.Telemetry
	tls       *rpc.TLS
	options   []grpc.ServerOption
	server    *grpc.Server // made by GRPC
	health    *health.Server

	workCtx  context.Context
	workStop context.CancelFunc
	work     sync.WaitGroup
	failed   chan error    // the first background or listener error
	force    chan struct{} // closed by the second signal
	draining chan struct{}
	closed   chan struct{}

	mu      sync.Mutex
	https   []*httpListener
	closers []func()

	serverOnce, drainOnce, closeOnce sync.Once
}

func newService(ctx context.Context, name string, cfg *Config, log *zap.Logger) (*Service, error) {
	tel, err := newTelemetry(ctx, name)
	if err != nil {
		return nil, err
	}
	tls, err := cfg.tls()
	if err != nil {
		return nil, err
	}
	if tel.Exports() { // the SDK has one place in a process for its errors, and would print them beside the log
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("spans were not exported", zap.Error(err)) }))
	}
	s := &Service{
		cfg: cfg, log: log, telemetry: tel, tls: tls,
		health:   health.NewServer(),
		failed:   make(chan error, 1),
		force:    make(chan struct{}),
		draining: make(chan struct{}),
		closed:   make(chan struct{}),
	}
	// Work ends when draining starts, which is later than ctx ends.
	s.workCtx, s.workStop = context.WithCancel(context.WithoutCancel(ctx))
	s.health.SetServingStatus("", healthv1.HealthCheckResponse_NOT_SERVING)
	s.health.SetServingStatus(Liveness, healthv1.HealthCheckResponse_SERVING)
	return s, nil
}

// Logger returns the service's logger.
func (s *Service) Logger() *zap.Logger { return s.log }

// ServerOptions adds options to the server. Interceptors stand inside of the chain of all services. Call it before GRPC.
func (s *Service) ServerOptions(o ...grpc.ServerOption) { s.options = append(s.options, o...) }

// GRPC returns the server, which the first call makes. Register on it before Serve.
func (s *Service) GRPC() *grpc.Server {
	s.serverOnce.Do(func() {
		s.server = rpc.NewServer(s.log, rpc.WithTLS(s.tls), rpc.WithMetrics(s.telemetry.Registry), rpc.WithTracing(s.telemetry.Tracer),
			rpc.WithServerOptions(s.options...))
		healthv1.RegisterHealthServer(s.server, s.health)
		reflection.Register(s.server)
	})
	return s.server
}

// Metrics returns where the service registers its own metrics.
func (s *Service) Metrics() prometheus.Registerer { return s.telemetry.Registry }

// Tracer returns the provider of the service's tracers.
func (s *Service) Tracer() trace.TracerProvider { return s.telemetry.Tracer }

// Draining is closed when the service stops taking work. A stream then ends
// with UNAVAILABLE: an open one would block the stop.
func (s *Service) Draining() <-chan struct{} { return s.draining }

// OnStop adds a closer. Closers run at the very end, in reverse order.
func (s *Service) OnStop(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closers = append(s.closers, f)
}

// Dial returns a lazy connection to a peer, closed on stop. A malformed
// address stops the service.
func (s *Service) Dial(addr string) *grpc.ClientConn {
	conn, err := rpc.Dial(addr, rpc.WithTLS(s.tls), rpc.WithMetrics(s.telemetry.Registry), rpc.WithTracing(s.telemetry.Tracer))
	if err != nil {
		s.fail(err)
		// A connection that never works keeps the caller's code straight;
		// Serve returns the error.
		conn, _ = rpc.Dial("passthrough:///invalid.address")
	}
	s.OnStop(func() { _ = conn.Close() })
	return conn
}

// Go runs f in the background at once. Its ctx ends when draining starts, and
// the stop waits for it, for a bounded time. An error before that, or a panic,
// stops the service.
func (s *Service) Go(name string, f func(ctx context.Context) error) {
	s.work.Go(func() {
		err := s.guarded(name, f)
		if err != nil && s.workCtx.Err() == nil {
			s.fail(fmt.Errorf("%s: %w", name, err))
		}
	})
}

func (s *Service) guarded(name string, f func(ctx context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic", zap.String("work", name), zap.ByteString("stack", debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f(s.workCtx)
}

// HTTP adds an HTTP listener, opened by Serve and drained with the rest. Call
// it before Serve. The address "off" adds none.
func (s *Service) HTTP(name, addr string, h http.Handler) {
	if addr == "" || addr == noAddress {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.https = append(s.https, newHTTPListener(name, addr, h, s.log))
}

// fail keeps the first error; Serve returns it.
func (s *Service) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// watch makes the first signal end ctx and the second one stop everything.
func (s *Service) watch(ctx context.Context, cancel context.CancelFunc, signals <-chan os.Signal) {
	select {
	case sig := <-signals:
		s.log.Info("stopping", zap.Stringer("signal", sig))
		cancel()
	case <-ctx.Done():
	}
	select {
	case <-signals:
		s.log.Warn("stopping at once")
		close(s.force)
	case <-s.closed:
	}
}

func (s *Service) listen(ctx context.Context, name, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s listener: %w", name, err)
	}
	s.log.Info("listening", zap.String("listener", name), zap.Stringer("addr", l.Addr()))
	return l, nil
}

// within runs f and waits for it, for at most d and not once forced. It says
// whether f ended.
func (s *Service) within(d time.Duration, f func()) bool {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-s.force:
	case <-timer.C:
	}
	return false
}
