package wire

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/publicnet"
)

var metaLike = []string{"lookaside.fbsbx.com", "fbsbx.com", "*.fbcdn.net", "*.facebook.com"}

func testFence(t testing.TB, base string) fence {
	t.Helper()
	u, err := url.Parse(base)
	require.NoError(t, err)
	return fence{base: u, hosts: metaLike}
}

func TestOnlyTheProvidersOwnAddressesAreAsked(t *testing.T) {
	t.Parallel()

	for _, address := range []string{
		"https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", "https://LOOKASIDE.fbsbx.com/", "https://lookaside.fbsbx.com:443/",
		"https://scontent-mad1-1.xx.fbcdn.net/v/t1?oh=1", "https://graph.facebook.com/x",
		"http://127.0.0.1:9800/file", // the configured base itself
	} {
		_, err := testFence(t, "http://127.0.0.1:9800").check(address)
		require.NoError(t, err, address)
	}
	for _, address := range []string{
		"http://lookaside.fbsbx.com/", "https://lookaside.fbsbx.com:8443/", "https://lookaside.fbsbx.com:80/", "https://lookaside.fbsbx.com./",
		"https://user@lookaside.fbsbx.com/", "https://lookaside.fbsbx.com@example.org/", "https://lookaside.fbsbx.com.example.org/",
		"https://fbcdn.net/", "https://evilfbcdn.net/", "https://.fbcdn.net/", "https://example.org/?lookaside.fbsbx.com", "https://[::1]/",
		"https://127.0.0.1/", "https://169.254.169.254/latest/meta-data", "http://127.0.0.1:9801/", "https://127.0.0.1:9800/", "http://127.0.0.1/",
		"http://localhost:9800/", "http://127.1:9800/", "http://2130706433:9800/", "file:///etc/passwd", "gopher://lookaside.fbsbx.com/", "//lookaside.fbsbx.com/",
		"https:lookaside.fbsbx.com", "https://", "", "https://lookaside.fbsbx.com\\@example.org/", "https://lookaside.fbsbx.com%2eexample.org/",
	} {
		_, err := testFence(t, "http://127.0.0.1:9800").check(address)
		require.ErrorIs(t, err, errOutside, address)
	}
	_, err := testFence(t, "https://graph.example.org").check("http://graph.example.org:443/")
	require.ErrorIs(t, err, errOutside, "a base with https is not asked without it")
}

func TestPrivateAddressIsRefusedWhenDialled(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	direct := func(*http.Request) (*url.URL, error) { return nil, nil }

	t.Run("WhateverNameLeadsThere", func(t *testing.T) {
		t.Parallel()
		d := NewDownloader(DownloaderConfig{Base: "https://graph.facebook.com", Hosts: metaLike, Proxy: direct})
		for _, host := range []string{"localhost", "127.0.0.1"} {
			_, err := d.dialer(direct)(t.Context(), "tcp", net.JoinHostPort(host, port))
			require.ErrorIs(t, err, publicnet.ErrInward, host)
		}
	})

	t.Run("ButNotTheConfiguredBaseItself", func(t *testing.T) {
		t.Parallel()
		d := NewDownloader(DownloaderConfig{Base: "http://localhost:" + port, Proxy: direct})
		connection, err := d.dialer(direct)(t.Context(), "tcp", "localhost:"+port)
		require.NoError(t, err)
		require.NoError(t, connection.Close())
		_, err = d.dialer(direct)(t.Context(), "tcp", "127.0.0.1:"+port)
		require.ErrorIs(t, err, publicnet.ErrInward, "the exception is for the name as it is configured")
	})
}

func TestTokenStaysWithItsHostInARedirect(t *testing.T) {
	t.Parallel()
	d := NewDownloader(DownloaderConfig{Base: "http://127.0.0.1:9800", Hosts: metaLike, Redirects: true})
	request := func(address string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer x")
		return r
	}
	for address, token := range map[string]string{
		"https://lookaside.fbsbx.com/b": "Bearer x", "https://lookaside.fbsbx.com:443/b": "Bearer x", "https://a.fbcdn.net/b": "",
	} {
		next := request(address)
		require.NoError(t, d.redirect(true)(next, []*http.Request{request("https://lookaside.fbsbx.com/a")}))
		require.Equal(t, token, next.Header.Get("Authorization"), address)
	}
}

func FuzzFence(f *testing.F) {
	for _, seed := range []string{
		"https://lookaside.fbsbx.com/a?b", "http://127.0.0.1:9800/file/bot1:x/y", "https://user@fbsbx.com", "https://fbsbx.com\\@x", "https://a.fbcdn.net.", "//x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := testFence(t, "http://127.0.0.1:9800").check(raw)
		if err != nil {
			return
		}
		host := strings.ToLower(u.Hostname())
		own := u.Scheme == "http" && u.Host == "127.0.0.1:9800"
		meta := u.Scheme == "https" && (host == "fbsbx.com" || strings.HasSuffix(host, ".fbsbx.com") || strings.HasSuffix(host, ".fbcdn.net") ||
			strings.HasSuffix(host, ".facebook.com")) && (u.Port() == "" || u.Port() == "443")
		require.True(t, own || meta, raw)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, raw, nil)
		require.NoError(t, err)
		require.Equal(t, u.Host, request.URL.Host, "what is asked is what was checked")
	})
}
