package rpc

import (
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

const (
	// maxHeaderBytes bounds a call's metadata, as that of an HTTP request at the edge; grpc's default is 16 MiB for each call.
	maxHeaderBytes = 64 << 10
	// maxStreams bounds the calls of one connection at the same time; further ones wait with their caller. grpc's default is
	// any number, each of which holds a goroutine here.
	maxStreams = 1000
)

// NewServer returns a server with the chain of all KnoBot services.
func NewServer(log *zap.Logger, opts ...Option) *grpc.Server {
	o := newOptions(DefaultServerDeadline, opts)
	chain := serverChain(log, o)
	server := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(MaxMessageBytes),
		grpc.MaxSendMsgSize(MaxMessageBytes),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			// Clients come back and see new replicas; see Dial.
			MaxConnectionAge:      5 * time.Minute,
			MaxConnectionAgeGrace: 30 * time.Second,
			Time:                  30 * time.Second,
			Timeout:               10 * time.Second,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
			MinTime:             10 * time.Second,
			PermitWithoutStream: true,
		}),
		grpc.Creds(o.tls.server()),
	}
	server = append(server, serverTracing(o.tracer)...)
	for _, l := range chain {
		server = append(server, grpc.ChainUnaryInterceptor(l.unary), grpc.ChainStreamInterceptor(l.stream))
	}
	return grpc.NewServer(append(server, o.server...)...)
}

// link is a named place in the server's chain.
type link struct {
	name   string
	unary  grpc.UnaryServerInterceptor
	stream grpc.StreamServerInterceptor
}

// serverChain is the order of the server's interceptors, outermost first. The
// id comes first because every other one uses it. Errors are converted outside
// of all that could return one, so that nothing unconverted is ever sent.
// Metrics and log see the original error and a recovered panic.
func serverChain(log *zap.Logger, o *options) []link {
	return []link{
		{"request_id", unaryRequestID, streamRequestID},
		{"errors", unaryErrors, streamErrors},
		newServerMetrics(o.metrics).link(),
		callLog{log}.link(),
		recovery{log}.link(),
		deadline(o.deadline).link(),
	}
}
