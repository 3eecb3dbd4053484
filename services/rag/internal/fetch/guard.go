package fetch

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/knobot/knobot/platform/publicnet"
)

// guard keeps us from asking servers inside: whoever names an address must not make us a bridge into the network that we
// run in. The address is checked when it is dialled, so that a name that changes in between does not help.
type guard struct {
	allow []string
}

func newGuard(allow []string) *guard { return &guard{allow: allow} }

// parse takes an address that a person or a sitemap names.
func (g *guard) parse(address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return nil, forbidden("it is malformed")
	}
	return g.check(u)
}

// parseReference takes the target of a redirect.
func (g *guard) parseReference(base *url.URL, target string) (*url.URL, error) {
	u, err := base.Parse(target)
	if err != nil {
		return nil, forbidden("a redirect leads nowhere")
	}
	return g.check(u)
}

func (g *guard) check(u *url.URL) (*url.URL, error) {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, forbidden("only http and https are")
	case u.Hostname() == "" || u.User != nil:
		return nil, forbidden("it needs a host, and no user")
	case u.Port() != "" && u.Port() != "80" && u.Port() != "443" && !slices.Contains(g.allow, u.Host):
		return nil, forbidden("only the ports 80 and 443 are")
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// transport uses no proxy, which would dial in our place.
func (g *guard) transport() *http.Transport {
	return &http.Transport{
		DialContext:            g.dial,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  20 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConns:           20,
		IdleConnTimeout:        30 * time.Second,
		ForceAttemptHTTP2:      true,
	}
}

func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	if !slices.Contains(g.allow, address) {
		dialer.Control = publicnet.Control
	}
	return dialer.DialContext(ctx, network, address)
}
