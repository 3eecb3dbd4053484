package edge

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Sources says whom the edge believes about addresses, and where Telegram's webhooks may come from.
type Sources struct {
	// Proxies are the networks of our own reverse proxies: only what they say of their callers is believed.
	Proxies []netip.Prefix
	// Telegram are the networks from which its webhooks are taken, empty for all. Telegram posts from 149.154.160.0/20 and
	// 91.108.4.0/22 (core.telegram.org/bots/webhooks, read 2026-11-23).
	Telegram []netip.Prefix
}

// client is the address of whoever made the request: the TCP peer, or behind proxies of ours the rightmost address in
// X-Forwarded-For that is none of them. What stands left of that is whatever its sender wrote.
func (s Sources) client(r *http.Request) string {
	peer, err := netip.ParseAddr(remoteIP(r))
	if err != nil {
		return remoteIP(r)
	}
	client := peer.Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for n := len(hops) - 1; n >= 0 && contains(s.Proxies, client); n-- {
		hop, ok := forwarded(hops[n])
		if !ok {
			break // nothing further left is believed
		}
		client = hop
	}
	return client.String()
}

// takesTelegram says whether a Telegram webhook may come from an address.
func (s Sources) takesTelegram(client string) bool {
	if len(s.Telegram) == 0 {
		return true
	}
	address, err := netip.ParseAddr(client)
	return err == nil && contains(s.Telegram, address)
}

func contains(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a.WithZone("")) {
			return true
		}
	}
	return false
}

// forwarded reads an address of X-Forwarded-For; some proxies write a port with it.
func forwarded(hop string) (netip.Addr, bool) {
	hop = strings.TrimSpace(hop)
	if host, _, err := net.SplitHostPort(hop); err == nil {
		hop = host
	}
	a, err := netip.ParseAddr(strings.Trim(hop, "[]"))
	return a.Unmap(), err == nil
}
