package local

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// readyTimeout is how long a service may take to start; they take a fraction of a second.
const readyTimeout = 60 * time.Second

// waitReady waits until a service says SERVING, and gives up when any program ends.
func (s *stack) waitReady(ctx context.Context, spec serviceSpec) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("%s was not ready after %s", spec.name, readyTimeout))
	defer cancel()
	conn, err := grpc.NewClient(s.env[spec.address], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{})
		if err == nil && r.GetStatus() == healthv1.HealthCheckResponse_SERVING {
			return nil
		}
		conn.ResetConnectBackoff()
		if p := s.ended(); p != nil {
			return p.failure()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ended returns a program that is no longer running, nil if all are.
func (s *stack) ended() *process {
	for _, p := range s.processes {
		select {
		case <-p.Done():
			return p
		default:
		}
	}
	return nil
}

// wait waits for Ctrl-C, or for a program that ends by itself.
func (s *stack) wait(ctx context.Context) error {
	cases := []reflect.SelectCase{{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())}}
	for _, p := range s.processes {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(p.Done())})
	}
	chosen, _, _ := reflect.Select(cases)
	if chosen == 0 {
		return nil
	}
	return s.processes[chosen-1].failure()
}
