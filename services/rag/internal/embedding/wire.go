package embedding

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

const (
	// defaultBaseURL is OpenAI's own API.
	defaultBaseURL = "https://api.openai.com/v1"
	// maxRetryDelay is up to which a Retry-After is obeyed; beyond it the call fails at once.
	maxRetryDelay = 10 * time.Second
	// maxResponse bounds what a server can make us hold, in bytes: a batch of the longest vectors in JSON.
	maxResponse = 16 << 20
)

// ErrUnusable says that the server answered with something else than a vector of the same dimension for each text.
var ErrUnusable = errors.New("embedding: the provider's answer holds no usable vectors")

// errRefused says that the server does not take these texts.
var errRefused = errors.New("embedding: the provider refuses the texts")

// options say where the service is and how it is called.
func options(base, key string) []option.RequestOption {
	if base == "" {
		base = defaultBaseURL
	}
	out := []option.RequestOption{
		option.WithBaseURL(strings.TrimSuffix(base, "/") + "/"),
		option.WithMaxRetryDelay(maxRetryDelay),
		option.WithHTTPClient(&http.Client{
			Transport:     bounded{http.DefaultTransport},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
	}
	if key != "" {
		out = append(out, option.WithAPIKey(key))
	}
	return out
}

// clean makes of any text one that every server takes: valid, not empty, without control characters, bounded.
func clean(text string) string {
	left := maxText
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if left--; left < 0 || r == unicode.ReplacementChar {
			return -1
		}
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text))
	if text == "" {
		return "-" // an empty text is refused
	}
	return text
}

// describe says what went wrong without the address, the key or the texts that the original error may quote.
func describe(err error) error {
	var api *openai.Error
	var network net.Error
	switch {
	case errors.As(err, &api) && refuses(api.StatusCode):
		return fmt.Errorf("%w with status %d", errRefused, api.StatusCode)
	case errors.As(err, &api):
		return fmt.Errorf("embedding: the provider answered with status %d", api.StatusCode)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("embedding: %w", context.Canceled)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("embedding: %w", context.DeadlineExceeded)
	case errors.As(err, &network):
		return errors.New("embedding: the provider cannot be reached")
	}
	return errors.New("embedding: the provider's answer cannot be read")
}

// refuses tells the answers that depend on what was sent.
func refuses(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge || status == http.StatusUnprocessableEntity
}

// bounded reads no more of a response than maxResponse.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(r)
	if err == nil {
		response.Body = limitedBody{io.LimitReader(response.Body, maxResponse), response.Body}
	}
	return response, err
}

type limitedBody struct {
	io.Reader
	io.Closer
}
