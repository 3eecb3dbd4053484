package llm

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// DefaultBaseURL is OpenAI's own API.
const DefaultBaseURL = "https://api.openai.com/v1"

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
	// MaxTokens is how much the model may write, 0 for DefaultMaxTokens.
	MaxTokens int64
	// Idle is how long a stream may pause; 0 for 8 s.
	Idle time.Duration
}

// OpenAI is a model behind OpenAI's chat completions. It is safe for concurrent use.
type OpenAI struct {
	model     string
	vision    bool
	maxTokens int64
	// own says that the server is OpenAI's own or Azure's.
	own  bool
	idle time.Duration
	chat openai.ChatCompletionService
}

// NewOpenAI returns a model. The service is made directly: openai.NewClient would also read the environment.
func NewOpenAI(cfg OpenAIConfig) *OpenAI {
	chat := openai.NewChatCompletionService(options(cfg.BaseURL, cfg.APIKey, callTimeout)...)
	return &OpenAI{
		model: cfg.Model, vision: cfg.Vision, maxTokens: cmp.Or(cfg.MaxTokens, DefaultMaxTokens), own: isOpenAI(cfg.BaseURL),
		idle: cmp.Or(cfg.Idle, streamIdle), chat: chat,
	}
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
		option.WithHTTPClient(client()),
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
	out := Completion{Model: o.Name(), InputTokens: response.Usage.PromptTokens, OutputTokens: response.Usage.CompletionTokens}
	if len(response.Choices) > 0 {
		if err := ending(response.Choices[0].FinishReason); err != nil {
			return Completion{}, err
		}
		out.Text = response.Choices[0].Message.Content
	}
	return completed(out)
}

// ending tells what is wrong with the way in which a model stopped: at the limit of what it may write, or by the provider's
// filter, which leaves half an answer.
func ending(reason string) error {
	switch reason {
	case "length":
		return ErrCut
	case "content_filter":
		return ErrRefused
	}
	return nil
}

func (o *OpenAI) params(prompt Prompt) openai.ChatCompletionNewParams {
	messages := make([]openai.ChatCompletionMessageParamUnion, len(prompt.Messages))
	for i, m := range prompt.Messages {
		messages[i] = message(m)
	}
	params := openai.ChatCompletionNewParams{Model: o.model, Messages: messages}
	if o.own {
		params.MaxCompletionTokens = openai.Int(o.maxTokens)
	} else {
		params.MaxTokens = openai.Int(o.maxTokens)
	}
	return params
}

// isOpenAI tells OpenAI's own servers and Azure's from all that speak their protocol: OpenAI's newer models refuse max_tokens
// (openapi.yaml, CreateChatCompletionRequest, 2026-08-21), and many other servers know nothing else.
func isOpenAI(base string) bool {
	if base == "" {
		return true
	}
	u, err := url.Parse(base)
	return err == nil && (strings.HasSuffix(u.Hostname(), ".openai.com") || strings.HasSuffix(u.Hostname(), ".azure.com"))
}

// named shows a request id in OpenAI's logs: https://platform.openai.com/docs/api-reference/debugging-requests (read
// 2026-11-23).
func named(requestID string) []option.RequestOption {
	if requestID == "" {
		return nil
	}
	return []option.RequestOption{option.WithHeader("X-Client-Request-Id", headerValue(requestID))}
}
