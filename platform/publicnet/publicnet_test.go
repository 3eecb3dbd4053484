package publicnet_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/publicnet"
)

func TestOnlyTheInternetAtLargeIsPublic(t *testing.T) {
	t.Parallel()
	for _, a := range []string{
		"157.240.0.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a03:2880:f12f:83:face:b00c:0:25de", "64:ff9b::808:808",
		"::ffff:8.8.8.8",
	} {
		require.True(t, publicnet.IsPublic(netip.MustParseAddr(a)), a)
	}
	for _, a := range []string{
		"127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
		"192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "255.255.255.255", "240.0.0.1",
		"::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::",
		"2001:0:1::1", "2001:db8::1",
	} {
		require.False(t, publicnet.IsPublic(netip.MustParseAddr(a)), a)
	}
}

func TestWhatLeadsInsideIsRefusedWhenDialledWhateverItsName(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	dialer := net.Dialer{Control: publicnet.Control}
	for _, host := range []string{"localhost", "127.0.0.1"} {
		_, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		require.ErrorIs(t, err, publicnet.ErrInward, host)
		require.NotContains(t, publicnet.ErrInward.Error(), host)
	}
	require.ErrorIs(t, publicnet.Control("tcp", "no address", nil), publicnet.ErrInward)
}
