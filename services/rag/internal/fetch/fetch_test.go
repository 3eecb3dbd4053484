package fetch_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/rag/internal/fetch"
)

// site serves handlers by path, and no robots.txt unless one is among them.
func site(t *testing.T, handlers map[string]http.HandlerFunc) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	for path, handler := range handlers {
		mux.HandleFunc(path, handler)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func host(server *httptest.Server) string { return strings.TrimPrefix(server.URL, "http://") }

// client may ask the servers, without waiting.
func client(servers ...*httptest.Server) *fetch.Client {
	var allow []string
	for _, s := range servers {
		allow = append(allow, host(s))
	}
	return fetch.New(fetch.Config{Allow: allow, Pause: time.Nanosecond})
}

func get(t *testing.T, c *fetch.Client, address string) (fetch.Page, error) {
	t.Helper()
	return c.Get(t.Context(), fetch.Request{URL: address, Limit: 1 << 20})
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, body) }
}

func TestPageIsFetchedAndAskedForAgainByItsMarks(t *testing.T) {
	t.Parallel()
	var agent atomic.Value
	server := site(t, map[string]http.HandlerFunc{"/a": func(w http.ResponseWriter, r *http.Request) {
		agent.Store(r.UserAgent())
		if r.Header.Get("If-None-Match") == `"1"` && r.Header.Get("If-Modified-Since") == "Tue, 03 Nov 2026 10:00:00 GMT" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Last-Modified", "Tue, 03 Nov 2026 10:00:00 GMT")
		w.Header().Set("Content-Type", "text/html; charset=iso-8859-1")
		_, _ = w.Write([]byte("<p>Garant\xeda</p>"))
	}})
	c := client(server)
	page, err := get(t, c, server.URL+"/a#fragment")
	require.NoError(t, err)
	require.Equal(t, "<p>Garantía</p>", string(page.Body))
	require.Equal(t, "text/html; charset=iso-8859-1", page.ContentType)
	require.Contains(t, agent.Load(), "KnoBot")
	again, err := c.Get(t.Context(), fetch.Request{URL: server.URL + "/a", ETag: page.ETag, LastModified: page.LastModified, Limit: 100})
	require.NoError(t, err)
	require.True(t, again.NotModified)
}

func TestRobotsAreObeyed(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := site(t, map[string]http.HandlerFunc{
		"/robots.txt": func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			_, _ = fmt.Fprint(w, "User-agent: *\nDisallow: /todo\n\nUser-agent: KnoBot\nDisallow: /privado\nDisallow: /*?sesion=\n")
		},
		"/": text("sí"),
	})
	c := client(server)
	for _, path := range []string{"/privado/a", "/a?sesion=1"} {
		_, err := get(t, c, server.URL+path)
		require.Equal(t, "ROBOTS_DISALLOWED", fault.ReasonOf(err), path)
		require.Equal(t, fault.Denied, fault.KindOf(err))
	}
	for _, path := range []string{"/a", "/todo", ""} {
		_, err := get(t, c, server.URL+path)
		require.NoError(t, err, path)
	}
	require.EqualValues(t, 1, asked.Load(), "they are remembered")
}

func TestRobotsThatCannotBeReadAllowNothing(t *testing.T) {
	t.Parallel()
	status := &atomic.Int32{}
	status.Store(http.StatusServiceUnavailable)
	server := site(t, map[string]http.HandlerFunc{
		"/robots.txt": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) },
		"/a":          text("sí"),
	})
	c := client(server)
	_, err := get(t, c, server.URL+"/a")
	require.Equal(t, "ROBOTS_UNAVAILABLE", fault.ReasonOf(err))
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	status.Store(http.StatusForbidden)
	_, err = get(t, c, server.URL+"/a")
	require.NoError(t, err, "a site without robots.txt allows all")
}

func TestAPageInThePlaceOfRobotsIsNoRule(t *testing.T) {
	t.Parallel()
	server := site(t, map[string]http.HandlerFunc{"/": text("<!DOCTYPE html><p>User-agent: *\nDisallow: /")})
	_, err := get(t, client(server), server.URL+"/a")
	require.NoError(t, err)
}

func TestAddressesInsideAreRefused(t *testing.T) {
	t.Parallel()
	inside := site(t, map[string]http.HandlerFunc{"/": text("secreto")})
	open := site(t, map[string]http.HandlerFunc{
		"/port": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside.URL, http.StatusFound) },
		"/name": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://localhost/", http.StatusFound)
		},
		"/ip": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		},
		"/file": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		},
		"/user": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://a:b@example.com/", http.StatusFound)
		},
		"/again": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) },
	})
	c := client(open)
	for _, address := range []string{
		inside.URL, "http://localhost/", "http://127.0.0.1/", "https://[::1]/", "http://0/", "http://2130706433/", "http://127.1/",
		"ftp://example.com/", "file:///etc/passwd", "gopher://127.0.0.1/", "http://", "//example.com", "http://a:b@example.com/", "http://%zz/",
		open.URL + "/port", open.URL + "/name", open.URL + "/ip", open.URL + "/file", open.URL + "/user",
	} {
		_, err := get(t, c, address)
		// How numbers are read as addresses is the resolver's matter: they lead inside, or nowhere.
		require.Contains(t, []string{"URL_FORBIDDEN", "ROBOTS_UNAVAILABLE"}, fault.ReasonOf(err), address)
		require.NotContains(t, fault.MessageOf(err), "127.0.0.1")
	}
	_, err := get(t, c, "http://localhost/")
	require.Equal(t, "URL_FORBIDDEN", fault.ReasonOf(err))
	_, err = get(t, c, open.URL+"/again")
	require.Equal(t, "HTTP_STATUS", fault.ReasonOf(err))
}

func TestRedirectsAreFollowed(t *testing.T) {
	t.Parallel()
	other := site(t, map[string]http.HandlerFunc{
		"/robots.txt": text("User-agent: *\nDisallow: /no"),
		"/":           text("llegado"),
	})
	server := site(t, map[string]http.HandlerFunc{
		"/a": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "b", http.StatusMovedPermanently) },
		"/b": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL+"/c", http.StatusSeeOther) },
		"/no": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/no", http.StatusSeeOther)
		},
	})
	page, err := get(t, client(server, other), server.URL+"/a")
	require.NoError(t, err)
	require.Equal(t, "llegado", string(page.Body))
	_, err = get(t, client(server, other), server.URL+"/no")
	require.Equal(t, "ROBOTS_DISALLOWED", fault.ReasonOf(err), "the site that it leads to is asked too")
}

func TestFailuresHaveReasons(t *testing.T) {
	t.Parallel()
	status := func(n int) http.HandlerFunc { return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) } }
	server := site(t, map[string]http.HandlerFunc{
		"/404": status(404), "/410": status(410), "/403": status(403), "/500": status(500), "/429": status(429),
		"/large": text(strings.Repeat("x", 1<<20+1)),
		"/bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 64<<20))
			_ = z.Close()
		},
		"/cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = fmt.Fprint(w, "x")
		},
	})
	c := client(server)
	for path, reason := range map[string]string{
		"/404": "PAGE_GONE", "/410": "PAGE_GONE", "/403": "HTTP_STATUS", "/500": "FETCH_FAILED", "/429": "FETCH_FAILED",
		"/large": "CONTENT_TOO_LARGE", "/bomb": "CONTENT_TOO_LARGE", "/cut": "FETCH_FAILED",
	} {
		_, err := get(t, c, server.URL+path)
		require.Equal(t, reason, fault.ReasonOf(err), path)
	}
}

func TestHostsAreLeftAloneBetweenRequests(t *testing.T) {
	t.Parallel()
	server := site(t, map[string]http.HandlerFunc{"/": text("sí")})
	const pause = 150 * time.Millisecond
	c := fetch.New(fetch.Config{Allow: []string{host(server)}, Pause: pause})
	start := time.Now()
	for range 3 {
		_, err := get(t, c, server.URL+"/a")
		require.NoError(t, err)
	}
	require.GreaterOrEqual(t, time.Since(start), 3*pause, "robots.txt and three pages")
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	server := site(t, map[string]http.HandlerFunc{"/": text("sí")})
	c := fetch.New(fetch.Config{Allow: []string{host(server)}, Pause: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := c.Get(ctx, fetch.Request{URL: server.URL, Limit: 10})
	require.Error(t, err)
}
