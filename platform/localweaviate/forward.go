package localweaviate

import (
	"context"
	"io"
	"net"
	"sync"
)

// forwarder passes connections from a listener on loopback to a target that
// dial reaches.
type forwarder struct {
	listener net.Listener
	target   string
	dial     func(context.Context, string) (net.Conn, error)
	ctx      context.Context // ends all connections
	cancel   context.CancelFunc
	conns    sync.WaitGroup
}

func forward(ctx context.Context, addr, target string, dial func(context.Context, string) (net.Conn, error)) (*forwarder, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp4", addr)
	if err != nil {
		return nil, err
	}
	f := &forwarder{listener: l, target: target, dial: dial}
	f.ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	f.conns.Go(f.accept)
	return f, nil
}

func (f *forwarder) addr() string { return f.listener.Addr().String() }

func (f *forwarder) close() {
	f.cancel()
	_ = f.listener.Close()
	f.conns.Wait()
}

func (f *forwarder) accept() {
	for {
		outside, err := f.listener.Accept()
		if err != nil {
			return // closed
		}
		f.conns.Go(func() { f.pass(outside) })
	}
}

// pass copies both ways until both sides have said all, or we close.
func (f *forwarder) pass(outside net.Conn) {
	defer func() { _ = outside.Close() }()
	inside, err := f.dial(f.ctx, f.target)
	if err != nil {
		return // the caller sees a closed connection, as from a dead server
	}
	defer func() { _ = inside.Close() }()
	stop := context.AfterFunc(f.ctx, func() {
		_ = outside.Close()
		_ = inside.Close()
	})
	defer stop()
	var back sync.WaitGroup
	back.Go(func() { oneWay(outside, inside) })
	oneWay(inside, outside)
	back.Wait()
}

// oneWay copies and then closes the writing half, so that the other side sees
// the end and can still answer.
func oneWay(dst, src net.Conn) {
	_, err := io.Copy(dst, src)
	half, ok := dst.(interface{ CloseWrite() error })
	if err != nil || !ok {
		_ = dst.Close()
		return
	}
	_ = half.CloseWrite()
}
