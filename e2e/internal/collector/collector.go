// Package collector receives what programs export over OTLP, as a collector of theirs would, and keeps the spans.
package collector

import (
	"context"
	"encoding/hex"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
)

// Server is a running collector.
type Server struct {
	collectorv1.UnimplementedTraceServiceServer
	address string

	mu    sync.Mutex
	spans []Span
}

// Span is a span with the service that exported it.
type Span struct {
	*tracev1.Span
	Service string
}

// Trace is the id of the trace that the span stands in.
func (s Span) Trace() string { return hex.EncodeToString(s.GetTraceId()) }

// Start starts a collector that ends with the test.
func Start(t *testing.T) *Server {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &Server{address: listener.Addr().String()}
	server := grpc.NewServer()
	collectorv1.RegisterTraceServiceServer(server, s)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return s
}

// Environment has programs export to the collector, soon.
func (s *Server) Environment() map[string]string {
	return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://" + s.address, "OTEL_BSP_SCHEDULE_DELAY": "100"}
}

// Export takes spans.
func (s *Server) Export(_ context.Context, r *collectorv1.ExportTraceServiceRequest) (*collectorv1.ExportTraceServiceResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range r.GetResourceSpans() {
		service := ""
		for _, a := range of.GetResource().GetAttributes() {
			if a.GetKey() == "service.name" {
				service = a.GetValue().GetStringValue()
			}
		}
		for _, scope := range of.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				s.spans = append(s.spans, Span{Span: span, Service: service})
			}
		}
	}
	return &collectorv1.ExportTraceServiceResponse{}, nil
}

// Spans returns all that came so far and satisfy every condition.
func (s *Server) Spans(conditions ...func(Span) bool) []Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Span
next:
	for _, span := range s.spans {
		for _, holds := range conditions {
			if !holds(span) {
				continue next
			}
		}
		found = append(found, span)
	}
	return found
}

// Named is a condition: a service's span of a name.
func Named(service, name string) func(Span) bool {
	return func(s Span) bool { return s.Service == "knobot-"+service && s.GetName() == name }
}

// In is a condition: a span of a trace.
func In(trace string) func(Span) bool { return func(s Span) bool { return s.Trace() == trace } }

// LinkedTo is a condition: a span that points to a trace.
func LinkedTo(trace string) func(Span) bool {
	return func(s Span) bool {
		for _, l := range s.GetLinks() {
			if hex.EncodeToString(l.GetTraceId()) == trace {
				return true
			}
		}
		return false
	}
}
