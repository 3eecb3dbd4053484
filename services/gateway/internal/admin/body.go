package admin

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/knobot/knobot/platform/fault"
)

// buffer reads the body of a call, of so many bytes at most, into memory. What it returns gives the memory back; it is there also with an error.
func (h *Handler) buffer(w http.ResponseWriter, r *http.Request, most int64) (release func(), err error) {
	if r.ContentLength == 0 {
		return func() {}, nil
	}
	if err := acceptable(r, "application/json"); err != nil {
		return func() {}, err
	}
	release, err = h.take(w, most, h.deadline)
	if err != nil {
		return release, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		return release, bodyError(err)
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // or the server would end the call when it passes.
	r.Body = io.NopCloser(bytes.NewReader(body))
	return release, nil
}

// take reserves memory for a body that has to arrive in time.
func (h *Handler) take(w http.ResponseWriter, size int64, in time.Duration) (release func(), err error) {
	if !h.inFlight.TryAcquire(size) {
		full := fault.New(fault.Unavailable, "TOO_MUCH_IN_FLIGHT", "too many requests are being read, try again").WithRetryAfter(retryAfter)
		return func() {}, full
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(in)) // best effort, both: a recorder in tests has none.
	_ = control.SetWriteDeadline(time.Now().Add(in + callDeadline))
	return func() { h.inFlight.Release(size) }, nil
}

// acceptable refuses bodies of another type, a form above all: a browser sends one to any address without asking. Packed ones are
// refused because unpacking would hand a bomb to everybody.
func acceptable(r *http.Request, want string) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	encoding := r.Header.Get("Content-Encoding")
	if err != nil || kind != want || (encoding != "" && !strings.EqualFold(encoding, "identity")) {
		return withStatus(http.StatusUnsupportedMediaType, fault.Newf(fault.Invalid, "CONTENT_TYPE", "the body must be %s, not packed", want))
	}
	return nil
}

// bodyError says why a body could not be read.
func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return withStatus(http.StatusRequestEntityTooLarge, fault.Newf(fault.Invalid, "BODY_TOO_LARGE", "the body has more than %d bytes", tooLarge.Limit))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return withStatus(http.StatusRequestTimeout, fault.New(fault.Unavailable, "BODY_TOO_SLOW", "the body took too long"))
	default:
		return fault.New(fault.Invalid, reasonMalformed, "the body broke off or is malformed").WithCause(err)
	}
}

// statusError has an HTTP status that gRPC has no code for.
type statusError struct {
	error
	status int
}

// Unwrap returns the error itself.
func (e statusError) Unwrap() error { return e.error }

func withStatus(status int, err error) error { return statusError{err, status} }
