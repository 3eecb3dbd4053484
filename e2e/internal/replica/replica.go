// Package replica spreads calls over the replicas of a service that are ready, as a cluster does: gRPC through a name server whose
// answer are the ready ones (a headless service), webhooks through a proxy in front of the gateways.
package replica

import (
	"context"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// probeEvery is how often readiness is asked for: far oftener than in a cluster, because tests drain for far shorter.
const probeEvery = 20 * time.Millisecond

// watch asks a replica for its health until ctx ends, and tells each change.
func watch(ctx context.Context, address string, tell func(ready bool)) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		probe, cancel := context.WithTimeout(ctx, time.Second)
		r, err := healthv1.NewHealthClient(conn).Check(probe, &healthv1.HealthCheckRequest{})
		cancel()
		if err != nil {
			conn.ResetConnectBackoff()
		}
		tell(err == nil && r.GetStatus() == healthv1.HealthCheckResponse_SERVING)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Set is the replicas of one service that are ready.
type Set struct {
	mu    sync.Mutex
	ready map[string]bool // by what they are reached by
	order []string
	next  int
}

// Follow keeps the set up to date until the test ends; health is asked at one address, the replica reached by another.
func (s *Set) Follow(t *testing.T, health, reached string) {
	t.Helper()
	s.mu.Lock()
	if s.ready == nil {
		s.ready = map[string]bool{}
	}
	s.order = append(s.order, reached)
	s.mu.Unlock()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(stop)
	go watch(ctx, health, func(ready bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ready[reached] = ready
	})
}

// Ready returns those that are ready.
func (s *Set) Ready() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, r := range s.order {
		if s.ready[r] {
			all = append(all, r)
		}
	}
	return all
}

// Next returns them in turn, false if there is none.
func (s *Set) Next() (string, bool) {
	ready := s.Ready()
	if len(ready) == 0 {
		return "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	return ready[s.next%len(ready)], true
}
