package localweaviate

import (
	"context"
	"net"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/child"
)

// host is the network that the server runs in: that of a thread.
type host struct {
	thread   *child.Thread
	isolated bool
}

// newHost makes a namespace, or says why it is the machine's own network.
func newHost(o Options) (*host, error) {
	if !o.direct {
		thread, err := child.NewThread(enterNamespace)
		if err == nil {
			return &host{thread: thread, isolated: true}, nil
		}
		o.Logger.Warn("weaviate-server's gRPC and cluster ports listen on all interfaces; an API key and cluster credentials protect them",
			zap.NamedError("no_namespace", err))
	}
	thread, err := child.NewThread(nil)
	return &host{thread: thread}, err
}

// dial connects from the thread: a socket belongs to the namespace of the
// thread that made it. The address is numeric, so that no resolver is asked,
// which would work on another thread.
func (h *host) dial(ctx context.Context, addr string) (conn net.Conn, err error) {
	err = net.ErrClosed
	h.thread.Do(func() {
		var d net.Dialer
		conn, err = d.DialContext(ctx, "tcp4", addr)
	})
	return conn, err
}

func (h *host) ports(ctx context.Context, o Options) (ports, error) {
	if h.isolated {
		return insidePorts(), nil
	}
	return freePorts(ctx, o)
}
