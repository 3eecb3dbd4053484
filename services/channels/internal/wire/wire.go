// Package wire makes one call to a provider's HTTP API and tells what net/http does not: whether a call that failed may have
// reached the provider. It also keeps secrets out of errors, because net/http quotes addresses and Telegram's hold the bot's
// token.
package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/knobot/knobot/services/channels"
)

const (
	// Timeout ends a call, whatever its context says.
	Timeout = 15 * time.Second
	// maxResponse is the most that is read of a response; the largest that we understand is a few kilobytes.
	maxResponse = 1 << 20
	userAgent   = "KnoBot/1.0"
	// maxMessage is the most that is kept of a provider's explanation, in characters.
	maxMessage = 300
)

// Caller makes calls.
type Caller struct {
	http *http.Client
	// uploads is the same with more time.
	uploads *http.Client
}

// NewCaller returns a caller on top of an HTTP client, whose transport it shares; nil for one of its own. Redirects are not
// followed: no provider's API sends any, and a followed one would turn a POST into a GET or carry a token elsewhere.
func NewCaller(base *http.Client) *Caller {
	client := http.Client{}
	if base != nil {
		client = *base
	}
	if client.Transport == nil {
		client.Transport = newTransport()
	}
	client.Timeout = Timeout
	client.Jar = nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	uploads := client
	uploads.Timeout = UploadTimeout
	return &Caller{http: &client, uploads: &uploads}
}

// newTransport keeps enough connections to one host for a busy number (80 messages a second).
func newTransport() http.RoundTripper {
	shared, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	t := shared.Clone()
	t.MaxIdleConnsPerHost = 64
	return t
}

// Response is what a provider answered.
type Response struct {
	Status int
	Header http.Header
	// Body is cut off at 1 MiB.
	Body []byte
}

// Request is a call: a JSON POST, or a GET without body.
type Request struct {
	URL    string
	Header http.Header
	Body   any
	// Secrets must not appear in an error.
	Secrets []string
}

// Post makes the call. Its error is always a *channels.SendError: ClassRetry if the request cannot have reached the
// provider, ClassInDoubt if it may have.
func (c *Caller) Post(ctx context.Context, r Request) (Response, error) {
	var sent atomic.Bool
	request, err := newRequest(watched(ctx, &sent), r)
	if err != nil {
		return Response{}, err
	}
	return c.do(request, &sent, r.Secrets)
}

// do makes a call and reads its answer; sent says after a failure whether the request may have been written.
func (c *Caller) do(request *http.Request, sent *atomic.Bool, secrets []string) (Response, error) {
	ctx, span := spanOf(request)
	response, fault := c.exchange(request.WithContext(ctx), sent, secrets)
	end(span, response.Status, fault)
	if fault != nil {
		return Response{}, fault
	}
	return response, nil
}

func (c *Caller) exchange(request *http.Request, sent *atomic.Bool, secrets []string) (Response, *channels.SendError) {
	response, err := c.http.Do(request)
	if err != nil {
		return Response{}, failure(err, sent.Load(), secrets)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return Response{}, failure(err, true, secrets)
	}
	return Response{Status: response.StatusCode, Header: response.Header, Body: body}, nil
}

func newRequest(ctx context.Context, r Request) (*http.Request, error) {
	body, err := json.Marshal(r.Body)
	if err != nil {
		return nil, &channels.SendError{Class: channels.ClassInvalid, Message: "the message cannot be written as JSON"}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(body))
	if err != nil { // its text quotes the address
		return nil, &channels.SendError{Class: channels.ClassRetry, Message: "the provider's base URL cannot be used"}
	}
	request.Header = r.Header.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", userAgent)
	return request, nil
}

// watched notes whether a connection was there to write to. The transport asks for another one only if it knows that nothing
// was written to the first: a POST is not replayed otherwise.
func watched(ctx context.Context, sent *atomic.Bool) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { sent.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
	})
}

// failure classifies a call without an answer.
func failure(err error, sent bool, secrets []string) *channels.SendError {
	e := &channels.SendError{Class: channels.ClassRetry, Err: safe(err, secrets)}
	reason := e.Err.Error()
	if isTimeout(err) {
		reason = "timeout"
	}
	if sent {
		e.Class = channels.ClassInDoubt
		e.Message = "no answer from the provider: " + reason
		return e
	}
	e.Message = "the provider cannot be reached: " + reason
	return e
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && timeout.Timeout()
}

// safe returns an error for errors.Is on the context's errors, whose text holds neither the address nor the secret.
func safe(err error, secrets []string) error {
	for _, known := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return known
		}
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return errors.New(Explanation(err.Error(), secrets...))
}

// Explanation makes a text of a provider fit for people and logs: no secret (Meta quotes a malformed token), nothing that was
// sent (Telegram quotes a tag that it does not know, or a button's address), no phone number, no control characters, not long.
func Explanation(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "[secret]")
		}
	}
	text = quoted.ReplaceAllString(text, "$1…")
	text = longNumber.ReplaceAllString(text, "…")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if runes := []rune(text); len(runes) > maxMessage {
		return string(runes[:maxMessage]) + "…"
	}
	return text
}

// quoted is what stands in quotation marks, also without the closing one; an apostrophe inside a word is none. longNumber may
// be somebody's phone number or chat; error codes are shorter.
var (
	quoted     = regexp.MustCompile(`"[^"]*"?|(^|[\s(\[=:])'[^']*'?`)
	longNumber = regexp.MustCompile(`\d{8,}`)
)

// RetryAfter reads the header of that name, 0 without one, at most an hour.
func RetryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 3600)) * time.Second
}
