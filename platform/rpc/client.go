package rpc

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	"github.com/knobot/knobot/platform/requestid"
)

const roundRobin = `{"loadBalancingConfig":[{"round_robin":{}}]}`

// Dial returns a lazy connection to addr with the clients' chain. The name is
// resolved through DNS and all of its addresses take turns. A peer that is
// away is tried again at least every two seconds: grpc's default would let a
// restarted peer wait for up to two minutes.
func Dial(addr string, opts ...Option) (*grpc.ClientConn, error) {
	o := newOptions(DefaultClientDeadline, opts)
	dial := []grpc.DialOption{
		grpc.WithTransportCredentials(o.tls.client()),
		grpc.WithDefaultServiceConfig(roundRobin),
		grpc.WithDisableServiceConfig(), // none from DNS TXT records
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(MaxMessageBytes),
			grpc.MaxCallSendMsgSize(MaxMessageBytes),
		),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time:                30 * time.Second,
			Timeout:             10 * time.Second,
			PermitWithoutStream: true,
		}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
	}
	dial = append(dial, ClientTracing(o.tracer)...)
	for _, l := range clientChain(o) {
		dial = append(dial, grpc.WithChainUnaryInterceptor(l.unary), grpc.WithChainStreamInterceptor(l.stream))
	}
	conn, err := grpc.NewClient(target(addr), append(dial, o.dial...)...)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	return conn, nil
}

// target leaves an address alone that names its resolver.
func target(addr string) string {
	if strings.Contains(addr, "://") || strings.HasPrefix(addr, "unix:") || strings.HasPrefix(addr, "passthrough:") {
		return addr
	}
	return "dns:///" + addr
}

// clientLink is a named place in the client's chain.
type clientLink struct {
	name   string
	unary  grpc.UnaryClientInterceptor
	stream grpc.StreamClientInterceptor
}

// clientChain is the order of the client's interceptors, outermost first.
// Metrics are outside of the deadline, so that they see it pass.
func clientChain(o *options) []clientLink {
	return []clientLink{
		{"request_id", unaryPropagate, streamPropagate},
		newClientMetrics(o.metrics).link(),
		{"deadline", deadline(o.deadline).client, startStream},
	}
}

// unaryPropagate hands the request id on to the peer.
func unaryPropagate(ctx context.Context, method string, req, resp any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	return invoke(propagate(ctx), method, req, resp, cc, opts...)
}

// streamPropagate is unaryPropagate for streams.
func streamPropagate(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, start grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return start(propagate(ctx), desc, cc, method, opts...)
}

// propagate starts a new request where there is none, as in a worker.
func propagate(ctx context.Context) context.Context {
	if md, ok := metadata.FromOutgoingContext(ctx); ok && len(md.Get(requestid.Header)) > 0 {
		return ctx
	}
	id := requestid.From(ctx)
	if id == "" {
		id = requestid.New()
	}
	return metadata.AppendToOutgoingContext(ctx, requestid.Header, id)
}

func startStream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, start grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return start(ctx, desc, cc, method, opts...)
}
