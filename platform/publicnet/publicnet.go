// Package publicnet keeps connections to addresses that strangers name from leading into the network that a program runs in.
package publicnet

import (
	"errors"
	"net/netip"
	"syscall"
)

// ErrInward says that an address leads to a private network. It is deliberately silent about the address, which may hold a
// secret.
var ErrInward = errors.New("the address leads to a private network")

// Control is a net.Dialer's Control: it runs when the name was resolved and before the connection is made, for every address
// that is tried, so that a name which points here today and there tomorrow gains nothing. Returns ErrInward.
func Control(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !IsPublic(a.Addr()) {
		return ErrInward
	}
	return nil
}

// IsPublic reports addresses of the internet at large. What is carried inside an IPv6 address counts by what it carries.
func IsPublic(a netip.Addr) bool {
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
