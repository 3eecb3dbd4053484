package fetch

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// errNotPublic says that a name led to an address inside.
var errNotPublic = errors.New("fetch: the address is not public")

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
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return checkDialled(address) }
	}
	return dialer.DialContext(ctx, network, address)
}

// checkDialled refuses an address as it is about to be connected to.
func checkDialled(address string) error {
	dialled, err := netip.ParseAddrPort(address)
	if err != nil || !isPublic(dialled.Addr()) {
		return errNotPublic
	}
	return nil
}

// inside are the networks that are not on the public internet, beside those that package netip knows (IANA's registries of
// special-purpose addresses, RFC 6890), and those that hold an IPv4 address which could be one of these.
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

func isPublic(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	return !slices.ContainsFunc(inside, func(p netip.Prefix) bool { return p.Contains(a) })
}
