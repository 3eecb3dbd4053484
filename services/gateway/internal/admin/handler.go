// Package admin is the HTTP side for people: every management RPC as REST, the OpenAPI document and a page that shows it. It
// decides nothing about access: each call goes, with the key that came with it, over one connection to a server that does.
package admin

import (
	"context"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc"

	"github.com/knobot/knobot/gen/openapi"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/requestid"
)

const (
	// maxJSONBytes bounds the body of a call; files have a route of their own.
	maxJSONBytes = 1 << 20
	// maxEvaluationBytes bounds the questions of an evaluation.
	maxEvaluationBytes = 4 << 20
	// maxUploadBytes is rag's largest file and the other parts of a form.
	maxUploadBytes = 33 << 20
	// maxBytesInFlight bounds the memory of all bodies together, because they are read before anybody knows who sends them.
	maxBytesInFlight = 32 << 20

	// bodyDeadline bounds how long the body of a call may take to arrive.
	bodyDeadline = 20 * time.Second
	// callDeadline bounds a call; an answer of a model takes the longest.
	callDeadline = 60 * time.Second
	// uploadDeadline bounds an upload over a slow line.
	uploadDeadline = 5 * time.Minute
	// watchDeadline bounds a stream; who still waits asks again.
	watchDeadline = 10 * time.Minute
	// retryAfter is what a client is told to wait when we are full.
	retryAfter = 2 * time.Second
)

// Handler serves the admin address.
type Handler struct {
	routes   *http.ServeMux
	rest     *runtime.ServeMux
	conn     grpc.ClientConnInterface
	known    routes
	inFlight *semaphore.Weighted
	deadline time.Duration // for a body
	largest  int64         // an upload
	stopping <-chan struct{}
}

// NewHandler makes the handler in front of conn, which authenticates, authorises and limits each call by its metadata:
// authorization as it came, x-request-id, and the peer's address as edge.RemoteAddress reads it. Streams end when stopping is
// closed: an open one would hold up the end of the program.
func NewHandler(ctx context.Context, conn grpc.ClientConnInterface, stopping <-chan struct{}) (*Handler, error) {
	spec, err := readDocument(openapi.Document())
	if err != nil {
		return nil, err
	}
	h := &Handler{
		routes: http.NewServeMux(), conn: conn, known: spec.routes(), stopping: stopping,
		inFlight: semaphore.NewWeighted(maxBytesInFlight), deadline: bodyDeadline, largest: maxUploadBytes,
	}
	if h.rest, err = newREST(ctx, conn, h.known); err != nil {
		return nil, err
	}
	page, err := newPage(spec)
	if err != nil {
		return nil, err
	}
	h.routes.Handle("GET "+pathDocument, static{"application/json", openapi.Document()})
	h.routes.Handle("GET "+pathPage, page)
	h.routes.HandleFunc("POST "+pathUpload, h.upload)
	h.routes.HandleFunc("POST "+pathEvaluation, h.evaluate)
	h.routes.HandleFunc("/", h.call)
	return h, nil
}

const (
	pathDocument   = "/api/openapi.json"
	pathPage       = "/api/docs"
	pathEvaluation = "/api/v1/evaluations"
	pathUpload     = "/api/v1/knowledgeBases/{knowledgeBase}/documents:upload"
)

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := requestid.Accept(r.Header.Get(requestid.Header))
	head := w.Header()
	head.Set(requestid.Header, id)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Cache-Control", "no-store")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	r = r.WithContext(requestid.With(r.Context(), id))
	r.Header.Set(requestid.Header, id)
	if !utf8.ValidString(r.URL.Path) { // no field of a message could take it.
		h.fail(challenging{w}, r, fault.New(fault.Invalid, reasonMalformed, "the path is not UTF-8"))
		return
	}
	h.routes.ServeHTTP(challenging{w}, r)
}

// challenging says with every 401 what is missing, also with those of streams, whose headers nobody else gets at.
type challenging struct{ http.ResponseWriter }

// WriteHeader sends the status.
func (w challenging) WriteHeader(status int) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="knobot"`)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController, which flushes streams.
func (w challenging) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// call answers one RPC, or says that there is none.
func (h *Handler) call(w http.ResponseWriter, r *http.Request) {
	release, err := h.buffer(w, r, maxJSONBytes)
	defer release()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if err := h.known.tidyQuery(r); err != nil {
		h.fail(w, r, err)
		return
	}
	if h.known.streams(r) {
		h.stream(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callDeadline)
	defer cancel()
	h.rest.ServeHTTP(w, r.WithContext(ctx))
}

// stream answers an RPC that goes on answering.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request) {
	ctx, done := h.long(w, r)
	defer done()
	h.rest.ServeHTTP(w, r.WithContext(ctx))
}

// long is the context of what may take longer than a call, and what to do in the end.
func (h *Handler) long(w http.ResponseWriter, r *http.Request) (context.Context, func()) {
	ctx, end := context.WithCancelCause(r.Context())
	ctx, cancel := context.WithTimeout(ctx, watchDeadline)
	go func() {
		select {
		case <-h.stopping:
			end(errStopping)
		case <-ctx.Done():
		}
	}()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(watchDeadline + callDeadline)) // best effort: a recorder in tests has none.
	return ctx, func() {
		cancel()
		end(nil)
	}
}

// static is a body that never changes.
type static struct {
	contentType string
	body        []byte
}

// ServeHTTP answers with it.
func (s static) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", s.contentType)
	_, _ = w.Write(s.body)
}
