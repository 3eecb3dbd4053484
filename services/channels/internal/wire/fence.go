package wire

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// fence says where files may be had from: https on the usual port of hosts that are named, and the configured base's own host
// and port, where that base may be an emulator on this machine.
type fence struct {
	base *url.URL
	// hosts are names, or "*." and a domain for all names below it.
	hosts []string
}

// errOutside is deliberately silent about the address: it may hold a secret.
var errOutside = errors.New("the provider's address of the file is not one of its own")

// check returns an address that may be asked. It refuses every other one, also names that are none: numbers, names with a
// dot at the end, names with a user in front.
func (f fence) check(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.Opaque != "" || u.Hostname() == "" {
		return nil, errOutside
	}
	if f.isBase(u) {
		return u, nil
	}
	if u.Scheme != "https" || u.Port() != "" && u.Port() != "443" || !f.named(strings.ToLower(u.Hostname())) {
		return nil, errOutside
	}
	return u, nil
}

func (f fence) isBase(u *url.URL) bool {
	return f.base != nil && u.Scheme == f.base.Scheme && strings.EqualFold(hostPort(u), hostPort(f.base))
}

func (f fence) named(host string) bool {
	for _, h := range f.hosts {
		domain, below := strings.CutPrefix(h, "*")
		if host == h || below && strings.HasSuffix(host, domain) && len(host) > len(domain) {
			return true
		}
	}
	return false
}

// hostPort is what a connection is made to.
func hostPort(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// onlyPublic is a net.Dialer's Control: it runs when the name was resolved and before the connection is made, for every
// address that is tried, so that a name which points here today and there tomorrow gains nothing.
func onlyPublic(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !isPublic(a.Addr()) {
		return errInward
	}
	return nil
}

var errInward = errors.New("the provider's address of the file leads to a private network")

// isPublic reports addresses of the internet at large. What is carried inside an IPv6 address counts by what it carries.
func isPublic(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if nat64 := netip.MustParsePrefix("64:ff9b::/96"); nat64.Contains(a) {
		raw := a.As16()
		a = netip.AddrFrom4([4]byte(raw[12:]))
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, reserved := range reservedNetworks() {
		if reserved.Contains(a) {
			return false
		}
	}
	return true
}

// reservedNetworks are those of the registries of special-purpose addresses (RFC 6890 and its updates) that netip does not
// know, with old ways of putting an IPv4 address into an IPv6 one.
func reservedNetworks() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range [...]string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
		"5f00::/16", "fec0::/10", "::/96",
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}
