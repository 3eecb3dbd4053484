package llm

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

const (
	// streamIdle is how long a stream that has begun may pause.
	streamIdle = 8 * time.Second
	// maxStreamed bounds what a model may write before it is taken for one that does not end, in bytes.
	maxStreamed = 64 << 10
	// lastWords is how long the figures of the usage, which follow the text, are waited for.
	lastWords = time.Second
)

// errBroken says that a stream ended before the model did, or did not end.
var errBroken = errors.New("llm: the stream broke off")

// Stream asks the model and shows what it writes.
func (o *OpenAI) Stream(ctx context.Context, prompt Prompt, seen func(text string)) (Completion, error) {
	ctx, cancel := context.WithTimeout(ctx, totalTimeout)
	defer cancel()
	completion, err := o.stream(ctx, prompt, seen)
	if err == nil {
		return completion, nil
	}
	if ctx.Err() != nil {
		return Completion{}, describe(ctx.Err())
	}
	return o.Complete(ctx, prompt)
}

// stream reads one stream. It is complete only once the provider has said why the model stopped: a connection that is
// closed early looks like an end otherwise.
func (o *OpenAI) stream(ctx context.Context, prompt Prompt, seen func(text string)) (Completion, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watchdog := time.AfterFunc(callTimeout, cancel)
	defer watchdog.Stop()
	params := o.params(prompt)
	params.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	// What fails here is asked for again without a stream, with all retries.
	stream := o.chat.NewStreaming(ctx, params, append(named(prompt.RequestID), option.WithMaxRetries(0))...)
	defer func() { _ = stream.Close() }()

	var out Completion
	var text strings.Builder
	finished := false
	for stream.Next() {
		watchdog.Reset(o.idle)
		chunk := stream.Current()
		if chunk.Usage.TotalTokens > 0 {
			out.InputTokens, out.OutputTokens = chunk.Usage.PromptTokens, chunk.Usage.CompletionTokens
		}
		if len(chunk.Choices) == 0 {
			continue
		}
		if chunk.Choices[0].FinishReason != "" {
			finished = true
			watchdog.Reset(min(o.idle, lastWords))
		}
		if piece := chunk.Choices[0].Delta.Content; piece != "" {
			text.WriteString(piece)
			if text.Len() > maxStreamed {
				return Completion{}, errBroken
			}
			seen(text.String())
		}
	}
	out.Text = strings.TrimSpace(text.String())
	if !finished || out.Text == "" {
		return Completion{}, errBroken
	}
	return out, nil
}
