package llm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/openai/openai-go/v3"
)

const (
	// maxRetries is how often a call is made again after 429, 5xx or a broken connection; Retry-After is obeyed up to
	// maxRetryDelay, and beyond it the call fails at once.
	maxRetries    = 2
	maxRetryDelay = 5 * time.Second
	// callTimeout bounds one call, totalTimeout all of them with the waits between; the caller's context mostly ends sooner.
	callTimeout  = 20 * time.Second
	totalTimeout = 40 * time.Second
	// maxResponse bounds what a server can make us hold, in bytes.
	maxResponse = 4 << 20
	// maxWritten bounds what a model may write before it is taken for one that does not end, in bytes.
	maxWritten = 64 << 10
	// DefaultMaxTokens is how much a model may write where nothing is said: an answer has some 300 tokens.
	DefaultMaxTokens = 1_024
)

// Errors that callers tell apart.
var (
	// ErrEmpty says that the model answered, and wrote nothing.
	ErrEmpty = errors.New("llm: the model wrote nothing")
	// ErrRefused says that the provider will not take this content, however often it is asked.
	ErrRefused = errors.New("llm: the provider refuses the content")
	// ErrCut says that the model did not come to an end within what it may write.
	ErrCut = errors.New("llm: the model's answer does not end")
)

// client calls a provider: no redirects, because the key goes with each call, and bounded answers.
func client() *http.Client {
	return &http.Client{
		Transport:     bounded{http.DefaultTransport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// completed checks what a model wrote as a whole.
func completed(out Completion) (Completion, error) {
	out.Text = strings.TrimSpace(out.Text)
	switch {
	case out.Text == "":
		return Completion{}, ErrEmpty
	case len(out.Text) > maxWritten:
		return Completion{}, ErrCut
	}
	return out, nil
}

// headerValue keeps what may stand in a header.
func headerValue(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s[:min(len(s), 128)])
}

// describe says what went wrong without the address, the key or the texts that the original error may quote.
func describe(err error) error {
	var network net.Error
	status := statusOf(err)
	switch {
	case errors.Is(err, ErrCut), errors.Is(err, ErrRefused):
		return err
	case refuses(status):
		return fmt.Errorf("%w with status %d", ErrRefused, status)
	case status != 0:
		return fmt.Errorf("llm: the provider answered with status %d", status)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("llm: %w", context.Canceled)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("llm: %w", context.DeadlineExceeded)
	case errors.As(err, &network):
		return errors.New("llm: the provider cannot be reached")
	}
	return errors.New("llm: the provider's answer cannot be read")
}

// statusOf is the HTTP status of an error of either SDK, 0 for another.
func statusOf(err error) int {
	var ofOpenAI *openai.Error
	var ofAnthropic *anthropic.Error
	switch {
	case errors.As(err, &ofOpenAI):
		return ofOpenAI.StatusCode
	case errors.As(err, &ofAnthropic):
		return ofAnthropic.StatusCode
	}
	return 0
}

// refuses tells the answers that depend on what was sent from those that somebody can put right, such as a wrong key.
func refuses(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// bounded reads no more of a response than maxResponse, and has nobody wait longer than maxRetryDelay.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(r)
	if err == nil {
		response.Body = limitedBody{io.LimitReader(response.Body, maxResponse), response.Body}
		if seconds, err := strconv.ParseFloat(response.Header.Get("Retry-After"), 64); err == nil && seconds > maxRetryDelay.Seconds() {
			response.Header.Set("X-Should-Retry", "false") // both SDKs look at it; Anthropic's would wait for hours
		}
	}
	return response, err
}

type limitedBody struct {
	io.Reader
	io.Closer
}
