// Package toxic puts links between programs that can be slowed, cut or made to swallow everything: toxiproxy within the test.
package toxic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// Link is a TCP link to an upstream.
type Link struct {
	// Address is where it listens, on loopback.
	Address  string
	upstream string
	proxy    *toxiproxy.Proxy
}

// New starts a link that ends with the test.
func New(t *testing.T, upstream string) *Link {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l := &Link{upstream: upstream, proxy: toxiproxy.NewProxy(server, "link", "127.0.0.1:0", upstream)}
	require.NoError(t, l.proxy.Start())
	t.Cleanup(l.proxy.Stop)
	l.Address = l.proxy.Listen
	return l
}

// Cut closes all connections and refuses new ones until Mend.
func (l *Link) Cut() { l.proxy.Stop() }

// LeadTo ends all connections and has new ones lead to somebody else.
func (l *Link) LeadTo(upstream string) error {
	return l.proxy.Update(&toxiproxy.Proxy{Listen: l.Address, Upstream: upstream, Enabled: true})
}

// Mend ends every trouble.
func (l *Link) Mend() error {
	l.proxy.Toxics.ResetToxics(context.Background())
	if l.proxy.Upstream != l.upstream {
		return l.LeadTo(l.upstream)
	}
	if err := l.proxy.Start(); err != nil && err != toxiproxy.ErrProxyAlreadyStarted { //nolint:errorlint // toxiproxy returns it as it is
		return fmt.Errorf("link: %w", err)
	}
	return nil
}

// Swallow keeps connections open and takes new ones, and lets nothing through in either direction: a half-open link.
func (l *Link) Swallow() error {
	for _, stream := range []string{"upstream", "downstream"} {
		if err := l.add("timeout", stream, map[string]any{"timeout": 0}); err != nil {
			return err
		}
	}
	return nil
}

// Delay holds back everything that comes from upstream.
func (l *Link) Delay(d time.Duration) error {
	return l.add("latency", "downstream", map[string]any{"latency": d.Milliseconds()})
}

// CutAfter closes each connection once so many bytes came from upstream.
func (l *Link) CutAfter(n int64) error {
	return l.add("limit_data", "downstream", map[string]any{"bytes": n})
}

func (l *Link) add(kind, stream string, attributes map[string]any) error {
	order, err := json.Marshal(map[string]any{"type": kind, "stream": stream, "attributes": attributes})
	if err != nil {
		return err
	}
	if _, err := l.proxy.Toxics.AddToxicJson(bytes.NewReader(order)); err != nil {
		return fmt.Errorf("toxic %s: %w", kind, err)
	}
	return nil
}

// Socket makes a Unix socket reachable over TCP, which is all that toxiproxy speaks. It returns the address and ends with the test.
func Socket(t *testing.T, path string) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go join(conn, path)
		}
	}()
	return listener.Addr().String()
}

// join copies both ways until either side ends.
func join(conn net.Conn, path string) {
	defer func() { _ = conn.Close() }()
	socket, err := net.Dial("unix", path) //nolint:noctx // on this machine it is there or not
	if err != nil {
		return
	}
	defer func() { _ = socket.Close() }()
	ended := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{conn, socket}, {socket, conn}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			ended <- struct{}{}
		}()
	}
	<-ended
}
