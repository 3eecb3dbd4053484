package admin

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzRoutes sends anything to the management listener: it never fails by itself, and whatever reaches the services carries the
// key as it came and the address of the peer, not one that the sender made up.
func FuzzRoutes(f *testing.F) {
	s := newStack(f)
	for _, b := range rpcs(f) {
		if b.path != "" {
			f.Add(b.method, variable.ReplaceAllString(b.path, "x-1"), "Bearer key", "application/json", []byte(`{"id": "1"}`))
		}
	}
	f.Add(http.MethodPost, "/api/v1/knowledgeBases/x/documents:upload", "Bearer key", "multipart/form-data; boundary=a", []byte("--a\r\n\r\n--a--"))
	f.Add(http.MethodGet, "/api/docs", "", "", []byte{})
	f.Add(http.MethodGet, "/api/v1/users?pageSize=-1&pageSize=2&x=%00", "Bearer", "text/plain", []byte("\xff"))
	f.Fuzz(func(t *testing.T, method, path, key, kind string, body []byte) {
		target, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") || method == "" {
			t.Skip("no request that net/http would hand on")
		}
		before := len(s.services.all())
		r := (&http.Request{
			Method: method, URL: target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Host: "knobot",
			RemoteAddr: "192.0.2.7:1234", ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
		}).WithContext(t.Context())
		r.Header.Set("Authorization", key)
		r.Header.Set("Content-Type", kind)
		r.Header.Set("X-Knobot-Remote-Address", "203.0.113.9")
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		require.NotEqual(t, http.StatusInternalServerError, w.Code, "%s %q: %s", method, path, w.Body)
		for _, call := range s.services.all()[before:] {
			require.Equal(t, []string{"192.0.2.7"}, call.metadata.Get("x-knobot-remote-address"))
		}
	})
}
