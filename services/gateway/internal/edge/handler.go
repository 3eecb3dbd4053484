// Package edge is the public HTTP side: three webhook routes and nothing else, each request bounded in size, time and
// memory before anything is read of it. Behind it stands grpc-gateway, which calls the gRPC service in this process.
package edge

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/semaphore"

	gateway "github.com/knobot/knobot/services/gateway"
)

const (
	// pathWhatsApp and pathTelegram are the routes, as in the API definition.
	pathWhatsApp = "/api/integrations/webhooks/whatsapp"
	pathTelegram = "/api/integrations/webhooks/telegram"

	// maxBytesInFlight bounds the bodies held in memory over all requests.
	maxBytesInFlight = 24 << 20
	// bodyDeadline bounds how long a body may take to arrive.
	bodyDeadline = 20 * time.Second
	// answerDeadline bounds verifying and storing. Telegram gives up after about 60 s (channel notes 0.3).
	answerDeadline = 15 * time.Second
	// retryAfter is what a provider is told to wait when we are full or away, in seconds.
	retryAfter = 2
)

// Refuser notes a webhook that was refused before it could be read.
type Refuser interface {
	Refuse(platform gateway.Platform, remote string, err error)
}

// Handler serves the webhook routes.
type Handler struct {
	next     http.Handler
	refuser  Refuser
	sources  Sources
	inFlight *semaphore.Weighted
	deadline time.Duration // for a body
}

// NewHandler makes the handler in front of next, which gets clean requests only: a known route, its method, no header
// but the credentials, a body that is in memory.
func NewHandler(next http.Handler, refuser Refuser, sources Sources) *Handler {
	return &Handler{next: next, refuser: refuser, sources: sources, inFlight: semaphore.NewWeighted(maxBytesInFlight), deadline: bodyDeadline}
}

// route is a path, its methods and whose it is.
type route struct {
	path     string
	allow    string
	get      bool
	platform gateway.Platform
}

// routeOf finds the route of a path. One trailing slash is dropped without redirecting: a redirect loses the body of a POST.
func routeOf(path string) (route, bool) {
	switch strings.TrimSuffix(path, "/") {
	case pathWhatsApp:
		return route{path: pathWhatsApp, allow: "GET, POST", get: true, platform: gateway.WhatsApp}, true
	case pathTelegram:
		return route{path: pathTelegram, allow: http.MethodPost, platform: gateway.Telegram}, true
	default:
		return route{}, false
	}
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	to, ok := routeOf(r.URL.Path)
	switch {
	case !ok:
		writeError(w, http.StatusNotFound)
	case r.Method == http.MethodPost:
		h.post(w, r, to)
	case r.Method == http.MethodGet && to.get:
		h.get(w, r, to)
	default:
		w.Header().Set("Allow", to.allow)
		writeError(w, http.StatusMethodNotAllowed)
	}
}

func (h *Handler) get(w http.ResponseWriter, r *http.Request, to route) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || !validText(query) {
		writeError(w, http.StatusBadRequest)
		return
	}
	h.forward(w, r, to, http.NoBody)
}

// validText says that a query can travel in gRPC strings, which are UTF-8.
func validText(query url.Values) bool {
	for name, values := range query {
		if !utf8.ValidString(name) || !utf8.ValidString(strings.Join(values, "")) {
			return false
		}
	}
	return true
}

func (h *Handler) post(w http.ResponseWriter, r *http.Request, to route) {
	if to.platform == gateway.Telegram && !h.sources.takesTelegram(h.sources.client(r)) {
		w.Header().Set("Connection", "close") // the body was not read
		h.refuser.Refuse(to.platform, h.sources.client(r), gateway.ErrForeignSource)
		writeError(w, http.StatusForbidden)
		return
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		// No provider compresses webhooks, and unpacking before verifying would hand a bomb to everybody.
		writeError(w, http.StatusUnsupportedMediaType)
		return
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(h.deadline)) // best effort: a recorder in tests has none.
	buffered, err := h.read(r)
	_ = control.SetReadDeadline(time.Time{}) // or the server would cancel the request while it is being stored.
	defer h.inFlight.Release(buffered.held)
	if err != nil {
		h.refuseBody(w, r, to, err)
		return
	}
	h.forward(w, r, to, buffered.reader())
}

// refuseBody answers a request whose body could not be read. The connection is closed: the rest of the body may be on it.
func (h *Handler) refuseBody(w http.ResponseWriter, r *http.Request, to route, err error) {
	w.Header().Set("Connection", "close")
	switch {
	case errors.Is(err, gateway.ErrBodyTooLarge):
		h.refuser.Refuse(to.platform, h.sources.client(r), err)
		writeError(w, http.StatusRequestEntityTooLarge)
	case errors.Is(err, errFull):
		writeError(w, http.StatusServiceUnavailable)
	case errors.Is(err, os.ErrDeadlineExceeded):
		writeError(w, http.StatusRequestTimeout)
	default:
		writeError(w, http.StatusBadRequest)
	}
}

// forward hands a clean request on. Storing goes on when the provider hangs up: it would only send the same again.
func (h *Handler) forward(w http.ResponseWriter, r *http.Request, to route, body readCloser) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), answerDeadline)
	defer cancel()
	clean := (&http.Request{
		Method: r.Method, URL: &url.URL{Path: to.path, RawQuery: r.URL.RawQuery},
		Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
		Header: credentials(r.Header), Body: body, RemoteAddr: net.JoinHostPort(h.sources.client(r), "0"),
	}).WithContext(ctx)
	h.next.ServeHTTP(w, clean)
}

// credentials keeps the headers that prove who sent a webhook and drops all others: grpc-gateway would make a deadline of
// one, an authorization of another and a method of a third.
func credentials(from http.Header) http.Header {
	out := http.Header{}
	for _, name := range credentialHeaders() {
		if values, ok := from[name]; ok {
			out[name] = values
		}
	}
	return out
}

// writeError answers with a status and its words, nothing that would help a forger.
func writeError(w http.ResponseWriter, status int) {
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"error":"` + strings.ToLower(http.StatusText(status)) + `"}`))
}
