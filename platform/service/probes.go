package service

import (
	"context"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// maxProbes bounds the calls of one connection of the health listener at the same time.
const maxProbes = 16

// openProbes serves health and nothing else, without TLS, where there is an address for it. Kubernetes' probes show no
// certificate, so that with mutual TLS they cannot ask the service's own listener. It answers until the very end.
func (s *Service) openProbes(ctx context.Context) error {
	if s.cfg.HealthAddr == "" || s.cfg.HealthAddr == noAddress {
		return nil
	}
	listener, err := s.listen(ctx, "health", s.cfg.HealthAddr)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.MaxConcurrentStreams(maxProbes))
	healthv1.RegisterHealthServer(server, s.health)
	s.OnStop(server.Stop)
	go s.report(func() error { return server.Serve(listener) })
	return nil
}
