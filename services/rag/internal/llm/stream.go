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
	// lastWords is how long the figures of the usage, which follow the text, are waited for.
	lastWords = time.Second
)

// errBroken says that a stream ended before the model did, or did not end.
var errBroken = errors.New("llm: the stream broke off")

// streamed runs a stream, and asks again whole for what may come whole: not for what would be the same again.
func streamed(ctx context.Context, stream, complete func(ctx context.Context) (Completion, error)) (Completion, error) {
	ctx, cancel := context.WithTimeout(ctx, totalTimeout)
	defer cancel()
	completion, err := stream(ctx)
	switch {
	case err == nil:
		return completion, nil
	case ctx.Err() != nil:
		return Completion{}, describe(ctx.Err())
	case errors.Is(err, ErrCut), errors.Is(err, ErrRefused):
		return Completion{}, err
	}
	return complete(ctx)
}

// writing is what a stream has brought so far.
type writing struct {
	Completion
	text strings.Builder
	seen func(text string)
	// finished says that the provider has said why the model stopped: a connection that is closed early looks like an end
	// otherwise.
	finished bool
	idle     time.Duration
	watchdog *time.Timer
}

// watch ends a stream that pauses. For its beginning it has half of the time that is left: the other half is for asking again.
func watch(ctx context.Context, cancel context.CancelFunc, idle time.Duration, seen func(text string)) *writing {
	first := callTimeout
	if end, ok := ctx.Deadline(); ok {
		first = min(first, time.Until(end)/2)
	}
	return &writing{seen: seen, idle: idle, watchdog: time.AfterFunc(first, cancel)}
}

func (w *writing) event() { w.watchdog.Reset(w.idle) }

func (w *writing) finish() {
	w.finished = true
	w.watchdog.Reset(min(w.idle, lastWords))
}

func (w *writing) add(piece string) error {
	if piece == "" {
		return nil
	}
	w.text.WriteString(piece)
	if w.text.Len() > maxWritten {
		return errBroken
	}
	w.seen(w.text.String())
	return nil
}

func (w *writing) whole() (Completion, error) {
	w.Text = strings.TrimSpace(w.text.String())
	if !w.finished || w.Text == "" {
		return Completion{}, errBroken
	}
	return w.Completion, nil
}

// Stream asks the model and shows what it writes.
func (o *OpenAI) Stream(ctx context.Context, prompt Prompt, seen func(text string)) (Completion, error) {
	return streamed(ctx,
		func(ctx context.Context) (Completion, error) { return o.stream(ctx, prompt, seen) },
		func(ctx context.Context) (Completion, error) { return o.Complete(ctx, prompt) })
}

// stream reads one stream.
func (o *OpenAI) stream(ctx context.Context, prompt Prompt, seen func(text string)) (Completion, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := watch(ctx, cancel, o.idle, seen)
	defer w.watchdog.Stop()
	w.Model = o.Name()
	params := o.params(prompt)
	params.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	// What fails here is asked for again without a stream, with all retries.
	stream := o.chat.NewStreaming(ctx, params, append(named(prompt.RequestID), option.WithMaxRetries(0))...)
	defer func() { _ = stream.Close() }()
	for stream.Next() {
		w.event()
		if err := w.chunk(stream.Current()); err != nil {
			return Completion{}, err
		}
	}
	return w.whole()
}

func (w *writing) chunk(c openai.ChatCompletionChunk) error {
	if c.Usage.TotalTokens > 0 {
		w.InputTokens, w.OutputTokens = c.Usage.PromptTokens, c.Usage.CompletionTokens
	}
	if len(c.Choices) == 0 {
		return nil
	}
	if reason := c.Choices[0].FinishReason; reason != "" {
		if err := ending(reason); err != nil {
			return err
		}
		w.finish()
	}
	return w.add(c.Choices[0].Delta.Content)
}
