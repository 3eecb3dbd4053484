package llm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

const (
	// DefaultBaseURL is OpenAI's own API.
	DefaultBaseURL = "https://api.openai.com/v1"
	// maxRetries is how often a call is made again after 429, 5xx or a broken connection; Retry-After is obeyed up to
	// maxRetryDelay, and beyond it the call fails at once.
	maxRetries    = 2
	maxRetryDelay = 5 * time.Second
	// callTimeout bounds one call, totalTimeout all of them with the waits between.
	callTimeout  = 20 * time.Second
	totalTimeout = 40 * time.Second
	// maxResponse bounds what a server can make us hold, in bytes.
	maxResponse = 4 << 20
)

// Errors that callers tell apart.
var (
	// ErrEmpty says that the model answered, and wrote nothing.
	ErrEmpty = errors.New("llm: the model wrote nothing")
	// ErrRefused says that the provider will not take this content, however often it is asked.
	ErrRefused = errors.New("llm: the provider refuses the content")
)

// OpenAIConfig says which model to ask, and where.
type OpenAIConfig struct {
	// BaseURL of the API, empty for OpenAI's own.
	BaseURL string
	// APIKey is empty for servers that ask for none.
	APIKey string
	// Model is the model's name.
	Model string
	// Vision says that the model reads images and PDF documents.
	Vision bool
	// Idle is how long a stream may pause; 0 for 8 s.
	Idle time.Duration
}

// OpenAI is a model behind OpenAI's chat completions. It is safe for concurrent use.
type OpenAI struct {
	model  string
	vision bool
	idle   time.Duration
	chat   openai.ChatCompletionService
}

// NewOpenAI returns a model. The service is made directly: openai.NewClient would also read the environment.
func NewOpenAI(cfg OpenAIConfig) *OpenAI {
	chat := openai.NewChatCompletionService(options(cfg.BaseURL, cfg.APIKey, callTimeout)...)
	return &OpenAI{model: cfg.Model, vision: cfg.Vision, idle: cmp.Or(cfg.Idle, streamIdle), chat: chat}
}

// options say where a service of OpenAI's protocol is and how it is called.
func options(base, key string, timeout time.Duration) []option.RequestOption {
	if base == "" {
		base = DefaultBaseURL
	}
	out := []option.RequestOption{
		option.WithBaseURL(strings.TrimSuffix(base, "/") + "/"),
		option.WithMaxRetries(maxRetries),
		option.WithMaxRetryDelay(maxRetryDelay),
		option.WithRequestTimeout(timeout),
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

// Name is the provider and the model.
func (o *OpenAI) Name() string { return "openai/" + o.model }

// Sees says whether the model reads files.
func (o *OpenAI) Sees() bool { return o.vision }

// Complete asks the model.
func (o *OpenAI) Complete(ctx context.Context, prompt Prompt) (Completion, error) {
	ctx, cancel := context.WithTimeout(ctx, totalTimeout)
	defer cancel()
	response, err := o.chat.New(ctx, o.params(prompt), named(prompt.RequestID)...)
	if err != nil {
		return Completion{}, describe(err)
	}
	out := Completion{InputTokens: response.Usage.PromptTokens, OutputTokens: response.Usage.CompletionTokens}
	if len(response.Choices) > 0 {
		out.Text = strings.TrimSpace(response.Choices[0].Message.Content)
	}
	if out.Text == "" {
		return Completion{}, ErrEmpty
	}
	return out, nil
}

func (o *OpenAI) params(prompt Prompt) openai.ChatCompletionNewParams {
	messages := make([]openai.ChatCompletionMessageParamUnion, len(prompt.Messages))
	for i, m := range prompt.Messages {
		messages[i] = message(m)
	}
	return openai.ChatCompletionNewParams{Model: o.model, Messages: messages}
}

// named shows a request id in OpenAI's logs: https://platform.openai.com/docs/api-reference/debugging-requests (read
// 2026-11-23).
func named(requestID string) []option.RequestOption {
	if requestID == "" {
		return nil
	}
	return []option.RequestOption{option.WithHeader("X-Client-Request-Id", headerValue(requestID))}
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
	var api *openai.Error
	var network net.Error
	switch {
	case errors.As(err, &api) && refuses(api.StatusCode):
		return fmt.Errorf("%w with status %d", ErrRefused, api.StatusCode)
	case errors.As(err, &api):
		return fmt.Errorf("llm: the provider answered with status %d", api.StatusCode)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("llm: %w", context.Canceled)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("llm: %w", context.DeadlineExceeded)
	case errors.As(err, &network):
		return errors.New("llm: the provider cannot be reached")
	}
	return errors.New("llm: the provider's answer cannot be read")
}

// refuses tells the answers that depend on what was sent from those that somebody can put right, such as a wrong key.
func refuses(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
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
