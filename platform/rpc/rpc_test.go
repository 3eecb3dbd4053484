package rpc

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
)

// handler is a service whose methods each test writes.
type handler struct {
	healthv1.UnimplementedHealthServer
	check func(ctx context.Context) error
	watch func(ss grpc.ServerStreamingServer[healthv1.HealthCheckResponse]) error
}

func (h handler) Check(ctx context.Context, _ *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
	return &healthv1.HealthCheckResponse{}, h.check(ctx)
}

func (h handler) Watch(_ *healthv1.HealthCheckRequest, ss grpc.ServerStreamingServer[healthv1.HealthCheckResponse]) error {
	return h.watch(ss)
}

type bundle struct {
	client  healthv1.HealthClient
	conn    *grpc.ClientConn
	addr    string
	logs    *observer.ObservedLogs
	metrics *prometheus.Registry
}

// setup serves h on loopback and connects a client, both with all interceptors.
func setup(t *testing.T, h handler, opts ...Option) *bundle {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	b := &bundle{logs: logs, metrics: prometheus.NewRegistry()}
	opts = append([]Option{WithMetrics(b.metrics)}, opts...)

	server := NewServer(zap.New(core), opts...)
	healthv1.RegisterHealthServer(server, h)
	twin := healthv1.Health_ServiceDesc
	twin.ServiceName = "test.Probe" // of which there are traces, unlike of health
	server.RegisterService(&twin, h)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)

	b.addr = l.Addr().String()
	conn, err := Dial(b.addr, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	b.conn, b.client = conn, healthv1.NewHealthClient(conn)
	return b
}

func (b *bundle) check(ctx context.Context, opts ...grpc.CallOption) error {
	_, err := b.client.Check(ctx, &healthv1.HealthCheckRequest{}, opts...)
	return err
}

// watch opens the stream and returns how it ended.
func (b *bundle) watch(t *testing.T) error {
	t.Helper()
	ss, err := b.client.Watch(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	_, err = ss.Recv()
	return err
}

func TestServerChainOrder(t *testing.T) {
	t.Parallel()
	var names []string
	for _, l := range serverChain(zap.NewNop(), newOptions(DefaultServerDeadline, nil)) {
		names = append(names, l.name)
		require.NotNil(t, l.unary, l.name)
		require.NotNil(t, l.stream, l.name)
	}
	require.Equal(t, []string{"request_id", "errors", "metrics", "logging", "recovery", "deadline"}, names)
}

func TestClientChainOrder(t *testing.T) {
	t.Parallel()
	var names []string
	for _, l := range clientChain(newOptions(DefaultClientDeadline, nil)) {
		names = append(names, l.name)
		require.NotNil(t, l.unary, l.name)
		require.NotNil(t, l.stream, l.name)
	}
	require.Equal(t, []string{"request_id", "metrics", "deadline"}, names)
}

func TestMetadataIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t, handler{check: func(context.Context) error { return nil }})
	call := func(n int) error {
		return b.check(metadata.AppendToOutgoingContext(t.Context(), "x-large", strings.Repeat("x", n)))
	}
	require.NoError(t, call(maxHeaderBytes/2))
	require.Error(t, call(maxHeaderBytes))
	require.NoError(t, call(1), "the connection goes on")
}

func TestCallsOfOneConnectionAreBounded(t *testing.T) {
	t.Parallel()
	var running atomic.Int64
	release := make(chan struct{})
	b := setup(t, handler{check: func(context.Context) error {
		running.Add(1)
		<-release
		return nil
	}})
	const more = 10
	ended := make(chan error, maxStreams+more)
	for range maxStreams + more {
		go func() { ended <- b.check(t.Context()) }()
	}
	require.Eventually(t, func() bool { return running.Load() == maxStreams }, eventually, tick)
	require.Never(t, func() bool { return running.Load() > maxStreams }, 100*time.Millisecond, tick, "the rest wait with their caller")
	close(release)
	for range maxStreams + more {
		require.NoError(t, <-ended)
	}
	require.EqualValues(t, maxStreams+more, running.Load())
}

func TestTargetsGoThroughDNS(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"rag:9102":                "dns:///rag:9102",
		"127.0.0.1:9102":          "dns:///127.0.0.1:9102",
		"dns:///rag:9102":         "dns:///rag:9102",
		"unix:/run/rag.sock":      "unix:/run/rag.sock",
		"passthrough:x":           "passthrough:x",
		"xds:///rag.example:9102": "xds:///rag.example:9102",
	} {
		require.Equal(t, want, target(in))
	}
}
