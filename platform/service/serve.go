package service

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/net/netutil"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// How long each part of the stop may take.
const (
	httpGrace   = 10 * time.Second
	grpcGrace   = 10 * time.Second
	workGrace   = 10 * time.Second
	closerGrace = 5 * time.Second
	flushGrace  = 2 * time.Second // of spans
)

// LongestStop is how long a stop takes at most once the drain is over: work is
// waited for twice, unless it has ended. Kubernetes must give a pod more.
const LongestStop = httpGrace + grpcGrace + 2*workGrace + flushGrace

// errForced is what Serve returns after a second signal.
var errForced = errors.New("stopped at once by a second signal")

// Serve opens the listeners, reports SERVING and blocks until ctx ends, a
// background function fails or a listener breaks. Then it drains: NOT_SERVING,
// KNOBOT_DRAIN of further service while load balancers notice, Draining closed
// and background work ended, HTTP and then gRPC shut down gracefully within a
// bound, closers in reverse order. It returns nil after an ordinary stop.
func (s *Service) Serve(ctx context.Context) error {
	err := s.serve(ctx)
	s.close(ctx)
	if err == nil && s.forced() {
		err = errForced
	}
	return err
}

func (s *Service) serve(ctx context.Context) error {
	if err := s.openProbes(ctx); err != nil {
		return err
	}
	listener, err := s.open(ctx)
	if err != nil {
		return err
	}
	go s.report(func() error { return s.GRPC().Serve(listener) })
	for _, h := range s.https {
		go s.report(func() error { return h.server.Serve(h.listener) })
	}
	s.setReady(healthv1.HealthCheckResponse_SERVING)
	s.log.Info("ready", zap.String("version", Version()))

	select {
	case <-ctx.Done():
	case err = <-s.failed:
		s.log.Error("stopping because of an error", zap.Error(err))
	}
	s.drain(context.WithoutCancel(ctx))
	return err
}

// open takes all addresses before anything is served.
func (s *Service) open(ctx context.Context) (net.Listener, error) {
	s.HTTP("debug", s.cfg.DebugAddr, s.debugHandler())
	grpcListener, err := s.listen(ctx, "grpc", s.cfg.GRPCAddr)
	if err != nil {
		return nil, err
	}
	for _, h := range s.https {
		listener, err := s.listen(ctx, h.name, h.addr)
		if err != nil {
			_ = grpcListener.Close()
			return nil, err
		}
		h.listener = netutil.LimitListener(listener, h.most)
	}
	return grpcListener, nil
}

// report treats the end of a listener as a fault, unless we ended it.
func (s *Service) report(serve func() error) {
	if err := serve(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		s.fail(err)
	}
}

// setReady sets the overall health and that of each registered service.
func (s *Service) setReady(status healthv1.HealthCheckResponse_ServingStatus) {
	s.health.SetServingStatus("", status)
	for name := range s.GRPC().GetServiceInfo() {
		s.health.SetServingStatus(name, status)
	}
}

func (s *Service) drain(ctx context.Context) {
	s.setReady(healthv1.HealthCheckResponse_NOT_SERVING)
	for _, h := range s.https {
		h.part()
	}
	s.log.Info("draining", zap.Duration("serving_for", s.cfg.Drain))
	linger := time.NewTimer(s.cfg.Drain)
	defer linger.Stop()
	select {
	case <-linger.C:
	case <-s.force:
	}
	s.endWork()
	// HTTP first: its handlers may call this very process over gRPC.
	s.stopHTTP(ctx)
	s.stopGRPC()
	if !s.within(workGrace, s.work.Wait) {
		s.log.Warn("background work did not end in time")
	}
}

// endWork closes Draining and ends the context of the background work.
func (s *Service) endWork() {
	s.drainOnce.Do(func() {
		close(s.draining)
		s.workStop()
	})
}

func (s *Service) stopHTTP(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, httpGrace)
	defer cancel()
	stopped := s.within(httpGrace, func() {
		for _, h := range s.https {
			_ = h.server.Shutdown(ctx)
		}
	})
	for _, h := range s.https {
		_ = h.server.Close() // what is left after the grace
	}
	if !stopped || ctx.Err() != nil {
		s.log.Warn("HTTP requests were cut off")
	}
}

func (s *Service) stopGRPC() {
	if !s.within(grpcGrace, s.GRPC().GracefulStop) {
		s.log.Warn("gRPC calls were cut off")
		s.GRPC().Stop()
	}
}

// close runs what is left to do, once: also for a service that never served.
func (s *Service) close(ctx context.Context) {
	s.closeOnce.Do(func() {
		defer close(s.closed)
		s.endWork()
		s.GRPC().Stop()
		s.mu.Lock()
		closers := slices.Clone(s.closers)
		s.mu.Unlock()
		if s.forced() {
			return // a second signal asks for the end, not for order
		}
		ended := s.within(workGrace, s.work.Wait) && s.within(closerGrace, func() {
			for _, f := range slices.Backward(closers) {
				f()
			}
		})
		if !ended {
			s.log.Warn("closing did not end in time")
		}
		s.flush(context.WithoutCancel(ctx))
		s.log.Info("stopped")
	})
}

func (s *Service) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, flushGrace)
	defer cancel()
	_ = s.telemetry.Shutdown(ctx)
}

func (s *Service) forced() bool {
	select {
	case <-s.force:
		return true
	default:
		return false
	}
}
