package replica

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
)

// StartEdge starts a proxy that hands webhooks to the gateways that are ready, in turn, and returns its URL. Members of the set
// are URLs.
func StartEdge(t *testing.T, gateways *Set) string {
	t.Helper()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			next, _ := gateways.Next() // without any the URL stays empty, and the answer is 502
			if u, err := url.Parse(next); err == nil {
				r.SetURL(u)
			}
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 100},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}
