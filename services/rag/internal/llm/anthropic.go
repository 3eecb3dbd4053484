package llm

import (
	"cmp"
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

// AnthropicBaseURL is Anthropic's own API.
const AnthropicBaseURL = "https://api.anthropic.com"

// AnthropicConfig says which model to ask, and where.
type AnthropicConfig struct {
	// BaseURL of the API without or with its /v1, empty for Anthropic's own.
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

// Anthropic is a model behind Anthropic's Messages API. It is safe for concurrent use.
type Anthropic struct {
	model     string
	vision    bool
	maxTokens int64
	idle      time.Duration
	messages  anthropic.MessageService
}

// NewAnthropic returns a model. The service is made directly: anthropic.NewClient would also read the environment.
func NewAnthropic(cfg AnthropicConfig) *Anthropic {
	base := strings.TrimSuffix(strings.TrimSuffix(cmp.Or(cfg.BaseURL, AnthropicBaseURL), "/"), "/v1")
	options := []option.RequestOption{
		option.WithBaseURL(base + "/"),
		option.WithMaxRetries(maxRetries),
		option.WithRequestTimeout(callTimeout),
		option.WithHTTPClient(client()),
		option.WithoutOpenTelemetry(), // the environment could make it write texts into traces
	}
	if cfg.APIKey != "" {
		options = append(options, option.WithAPIKey(cfg.APIKey))
	}
	return &Anthropic{
		model: cfg.Model, vision: cfg.Vision, maxTokens: cmp.Or(cfg.MaxTokens, DefaultMaxTokens),
		idle: cmp.Or(cfg.Idle, streamIdle), messages: anthropic.NewMessageService(options...),
	}
}

// Name is the provider and the model.
func (a *Anthropic) Name() string { return "anthropic/" + a.model }

// Sees says whether the model reads files.
func (a *Anthropic) Sees() bool { return a.vision }

// Complete asks the model. The API has no place for the request's id: its own stands in its console.
func (a *Anthropic) Complete(ctx context.Context, prompt Prompt) (Completion, error) {
	ctx, cancel := context.WithTimeout(ctx, totalTimeout)
	defer cancel()
	response, err := a.messages.New(ctx, a.params(prompt))
	if err != nil {
		return Completion{}, describe(err)
	}
	if err := stopped(response.StopReason); err != nil {
		return Completion{}, err
	}
	var text strings.Builder
	for _, block := range response.Content {
		if block.Type == "text" {
			text.WriteString(block.Text)
		}
	}
	u := response.Usage
	return completed(Completion{
		Model: a.Name(), Text: text.String(), OutputTokens: u.OutputTokens,
		InputTokens: u.InputTokens + u.CacheCreationInputTokens + u.CacheReadInputTokens,
	})
}

// stopped tells what is wrong with the way in which a model stopped.
func stopped(reason anthropic.StopReason) error {
	switch reason {
	case anthropic.StopReasonMaxTokens, anthropic.StopReasonModelContextWindowExceeded:
		return ErrCut
	case anthropic.StopReasonRefusal:
		return ErrRefused
	}
	return nil
}

// params puts our rules into the system's place, where they alone stand. A dialogue must begin with the customer there.
func (a *Anthropic) params(prompt Prompt) anthropic.MessageNewParams {
	out := anthropic.MessageNewParams{Model: a.model, MaxTokens: a.maxTokens}
	for _, m := range prompt.Messages {
		blocks := blocksOf(m)
		switch {
		case len(blocks) == 0:
		case m.Role == System:
			out.System = append(out.System, anthropic.TextBlockParam{Text: m.Text})
		case m.Role == User:
			out.Messages = append(out.Messages, anthropic.NewUserMessage(blocks...))
		case len(out.Messages) > 0:
			out.Messages = append(out.Messages, anthropic.NewAssistantMessage(blocks...))
		}
	}
	return out
}

// blocksOf are the text and after it the files. The API refuses a text of nothing but spaces.
func blocksOf(m Message) []anthropic.ContentBlockParamUnion {
	var out []anthropic.ContentBlockParamUnion
	if strings.TrimSpace(m.Text) != "" {
		out = append(out, anthropic.NewTextBlock(m.Text))
	}
	for _, f := range m.Files {
		content := base64.StdEncoding.EncodeToString(f.Content)
		if f.MIMEType == pdf {
			out = append(out, anthropic.NewDocumentBlock(anthropic.Base64PDFSourceParam{Data: content}))
		} else {
			out = append(out, anthropic.NewImageBlockBase64(f.MIMEType, content))
		}
	}
	return out
}

// Stream asks the model and shows what it writes.
func (a *Anthropic) Stream(ctx context.Context, prompt Prompt, seen func(text string)) (Completion, error) {
	return streamed(ctx,
		func(ctx context.Context) (Completion, error) { return a.stream(ctx, prompt, seen) },
		func(ctx context.Context) (Completion, error) { return a.Complete(ctx, prompt) })
}

// stream reads one stream.
func (a *Anthropic) stream(ctx context.Context, prompt Prompt, seen func(text string)) (Completion, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := watch(ctx, cancel, a.idle, seen)
	defer w.watchdog.Stop()
	w.Model = a.Name()
	stream := a.messages.NewStreaming(ctx, a.params(prompt), option.WithMaxRetries(0))
	defer func() { _ = stream.Close() }()
	for stream.Next() {
		w.event()
		if err := w.message(stream.Current()); err != nil {
			return Completion{}, err
		}
	}
	return w.whole()
}

// message takes one event in: the message's start tells what was read, its delta why the model stopped and what it wrote.
func (w *writing) message(event anthropic.MessageStreamEventUnion) error {
	switch event.Type {
	case "message_start":
		u := event.Message.Usage
		w.InputTokens = u.InputTokens + u.CacheCreationInputTokens + u.CacheReadInputTokens
	case "content_block_delta":
		if event.Delta.Type == "text_delta" {
			return w.add(event.Delta.Text)
		}
	case "message_delta":
		w.OutputTokens = event.Usage.OutputTokens
		if event.Delta.StopReason == "" {
			return nil
		}
		if err := stopped(event.Delta.StopReason); err != nil {
			return err
		}
		w.finish()
	}
	return nil
}
