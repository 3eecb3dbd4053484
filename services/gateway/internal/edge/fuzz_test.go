package edge

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzRoutes sends anything to the public listener: what is answered is one of the statuses that the documentation names, and
// nothing is stored of what carries no valid credential.
func FuzzRoutes(f *testing.F) {
	s := newStack(f)
	signature := "sha256=" + strings.Repeat("0", 64)
	for _, path := range []string{
		"/api/integrations/webhooks/whatsapp", "/api/integrations/webhooks/whatsapp/", "/api/integrations/webhooks/telegram/",
		"/api/integrations/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=1&hub.verify_token=x", "/", "//", "/api/v1/users", "/%2e%2e",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, "PROPFIND"} {
			f.Add(method, path, signature, "", []byte(`{"object":"whatsapp_business_account","entry":[]}`))
		}
	}
	f.Add(http.MethodPost, "/api/integrations/webhooks/telegram", "", "wrong", []byte(`{"update_id":1}`))
	allowed := []int{200, 400, 401, 403, 404, 405, 413, 415, 429, 503}
	f.Fuzz(func(t *testing.T, method, path, signature, secret string, body []byte) {
		target, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") || method == "" {
			t.Skip("no request that net/http would hand on")
		}
		before := len(s.conversation.stored())
		r := (&http.Request{
			Method: method, URL: target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Host: "knobot",
			RemoteAddr: "192.0.2.7:1234", ContentLength: int64(len(body)), Body: http.NoBody,
		}).WithContext(t.Context())
		if len(body) > 0 {
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		r.Header.Set("X-Hub-Signature-256", signature)
		r.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		require.True(t, slices.Contains(allowed, w.Code), "%s %q: %d", method, path, w.Code)
		if secret != botSecret {
			require.Len(t, s.conversation.stored(), before, "stored without a credential")
		}
	})
}
