package wire

import (
	"errors"
	"net"
	"net/url"
	"strings"
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
