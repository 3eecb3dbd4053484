package wire_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/fakeapi"
	"github.com/knobot/knobot/services/channels/internal/wire"
)

func direct(*http.Request) (*url.URL, error) { return nil, nil }

func downloader(base string, redirects bool) *wire.Downloader {
	return wire.NewDownloader(wire.DownloaderConfig{Base: base, Hosts: []string{"localhost"}, Redirects: redirects, Proxy: direct})
}

func bearer(address string) wire.Request {
	return wire.Request{URL: address, Header: http.Header{"Authorization": {"Bearer " + secret}}, Secrets: []string{secret}}
}

// refusal asks for what cannot be had and returns the failure, which holds no secret.
func refusal(t *testing.T, d *wire.Downloader, r wire.Request) *channels.SendError {
	t.Helper()
	response, err := d.Get(t.Context(), r)
	if err == nil {
		_, err = io.ReadAll(response.Body)
	}
	var failure *channels.SendError
	require.ErrorAs(t, err, &failure)
	require.NotContains(t, failure.Error(), "CANARY")
	if failure.Err != nil {
		require.NotContains(t, failure.Err.Error(), "CANARY")
	}
	return failure
}

func redirect(to string) fakeapi.Answer {
	return fakeapi.Answer{Status: http.StatusFound, Header: map[string]string{"Location": to}}
}

func TestDownload(t *testing.T) {
	t.Parallel()

	t.Run("FileOfTheConfiguredBaseIsReadAsItIs", func(t *testing.T) {
		t.Parallel()
		server := fakeapi.New(t, fakeapi.Answer{Status: 200, Body: "bytes"})
		response, err := downloader(server.URL, true).Get(t.Context(), bearer(server.URL+"/f"))
		require.NoError(t, err)
		got, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, "bytes", string(got))
		require.Equal(t, "Bearer "+secret, server.Only(t).Header.Get("Authorization"))
		require.Empty(t, server.Only(t).Header.Get("Accept-Encoding"))
	})

	t.Run("OtherServersAreNeverAsked", func(t *testing.T) {
		t.Parallel()
		base, other := fakeapi.New(t, fakeapi.Answer{Status: 200}), fakeapi.New(t, fakeapi.Answer{Status: 200})
		d := downloader(base.URL, true)
		for _, address := range []string{
			other.URL, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), strings.Replace(base.URL, "127.0.0.1", "localhost", 1),
			strings.Replace(base.URL, "http:", "https:", 1), "https://169.254.169.254/", "file:///etc/passwd",
		} {
			require.Contains(t, refusal(t, d, bearer(address)).Message, "not one of its own", address)
		}
		require.Empty(t, other.Calls())
		require.Empty(t, base.Calls())
	})

	t.Run("AllowedNameThatLeadsInwardsIsNotAsked", func(t *testing.T) {
		t.Parallel()
		require.Contains(t, refusal(t, downloader("https://graph.facebook.com", true), bearer("https://localhost/f")).Message, "private network")
	})

	t.Run("TruncatedBodyIsAFailure", func(t *testing.T) {
		t.Parallel()
		server := fakeapi.New(t, fakeapi.Answer{Handle: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half"))
		}})
		require.Equal(t, channels.ClassInDoubt, refusal(t, downloader(server.URL, true), bearer(server.URL)).Class)
	})

	t.Run("TokenInTheAddressIsInNoError", func(t *testing.T) {
		t.Parallel()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		base := "http://" + listener.Addr().String()
		refusal(t, downloader(base, false), wire.Request{URL: base + "/file/bot" + secret + "/x", Secrets: []string{secret}})
	})

	t.Run("ConfiguredProxyIsUsedAndOnlyForAllowedHosts", func(t *testing.T) {
		t.Parallel()
		proxy := fakeapi.New(t, fakeapi.Answer{Status: http.StatusBadGateway})
		d := wire.NewDownloader(wire.DownloaderConfig{
			Base: "https://graph.facebook.com", Hosts: []string{"lookaside.fbsbx.com"}, Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) },
		})
		refusal(t, d, bearer("https://lookaside.fbsbx.com/f"))
		require.Equal(t, http.MethodConnect, proxy.Only(t).Method)
		refusal(t, d, bearer(proxy.URL))
		require.Len(t, proxy.Calls(), 1)
	})
}

func TestRedirectsOfDownloads(t *testing.T) {
	t.Parallel()

	t.Run("WithinTheBaseAreFollowed", func(t *testing.T) {
		t.Parallel()
		server := fakeapi.New(t, redirect("/second?signature=1"), redirect("/third"), fakeapi.Answer{Status: 200, Body: "bytes"})
		response, err := downloader(server.URL, true).Get(t.Context(), bearer(server.URL+"/first"))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Len(t, server.Calls(), 3)
		require.Empty(t, server.Calls()[2].Header.Get("Referer"))
	})

	t.Run("ToAnotherServerAreNot", func(t *testing.T) {
		t.Parallel()
		other := fakeapi.New(t, fakeapi.Answer{Status: 200})
		for _, to := range []string{other.URL, "https://example.org/", "https://localhost/", "file:///etc/passwd"} {
			server := fakeapi.New(t, redirect(to))
			require.Equal(t, channels.ClassRetry, refusal(t, downloader(server.URL, true), bearer(server.URL)).Class)
		}
		server := fakeapi.New(t, redirect("/again"), redirect(other.URL))
		refusal(t, downloader(server.URL, true), bearer(server.URL))
		require.Empty(t, other.Calls())
	})

	t.Run("EndlessOnesEnd", func(t *testing.T) {
		t.Parallel()
		server := fakeapi.New(t, redirect("/again"))
		refusal(t, downloader(server.URL, true), bearer(server.URL))
		require.Len(t, server.Calls(), 4)
	})

	t.Run("NoneAreFollowedWhereTheAddressHoldsASecret", func(t *testing.T) {
		t.Parallel()
		server := fakeapi.New(t, redirect("/again"))
		refusal(t, downloader(server.URL, false), wire.Request{URL: server.URL + "/file/bot" + secret, Secrets: []string{secret}})
		require.Len(t, server.Calls(), 1)
	})
}

func TestFreshAddressIsAskedForOnce(t *testing.T) {
	t.Parallel()

	calls := 0
	_, err := wire.Fresh(func() (channels.ProviderFile, error) { calls++; return channels.ProviderFile{}, wire.ErrDeadLink })
	require.ErrorIs(t, err, channels.ErrMediaGone)
	require.Equal(t, 2, calls)
}
