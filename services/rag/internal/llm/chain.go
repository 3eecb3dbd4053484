package llm

import (
	"context"
	"errors"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"go.uber.org/zap"
)

const (
	// restAfter is after how many failures in a row a model is not asked for a while, and rest how long; then one call tries
	// whether it is back.
	restAfter = 3
	rest      = 15 * time.Second
)

var (
	errResting = errors.New("llm: the provider failed too often and is left alone for a while")
	errBlind   = errors.New("llm: the model reads no files")
)

// Chain asks models in their order until one answers. It is a model itself, and safe for concurrent use.
type Chain struct {
	links []*link
	meter meter
}

// NewChain returns a chain of at least one model.
func NewChain(log *zap.Logger, models ...Model) *Chain {
	c := &Chain{meter: newMeter()}
	for _, m := range models {
		c.links = append(c.links, newLink(log, m, rest))
	}
	return c
}

// Name is the first model's.
func (c *Chain) Name() string { return c.links[0].model.Name() }

// Sees says whether any of the models reads files.
func (c *Chain) Sees() bool {
	for _, l := range c.links {
		if l.model.Sees() {
			return true
		}
	}
	return false
}

// Complete asks one model after the other. Each has an equal share of the time that is left, so that one that hangs leaves
// time for the next.
func (c *Chain) Complete(ctx context.Context, prompt Prompt) (Completion, error) {
	return c.ask(ctx, prompt, func(ctx context.Context, m Model) (Completion, error) { return m.Complete(ctx, prompt) })
}

// Stream is Complete, and shows what the first model writes that can show it: what another writes afterwards is a different
// text, and only returned.
func (c *Chain) Stream(ctx context.Context, prompt Prompt, seen func(text string)) (Completion, error) {
	shown := false
	return c.ask(ctx, prompt, func(ctx context.Context, m Model) (Completion, error) {
		streamer, ok := m.(Streamer)
		if !ok || shown {
			return m.Complete(ctx, prompt)
		}
		return streamer.Stream(ctx, prompt, func(text string) {
			shown = true
			seen(text)
		})
	})
}

type call func(ctx context.Context, m Model) (Completion, error)

// ask returns the errors of all models together if none answers.
func (c *Chain) ask(ctx context.Context, prompt Prompt, ask call) (Completion, error) {
	ctx, cancel := context.WithTimeout(ctx, totalTimeout)
	defer cancel()
	var errs []error
	for i, l := range c.links {
		if hasFiles(prompt) && !l.model.Sees() {
			errs = append(errs, errBlind)
			continue
		}
		completion, err := l.ask(ctx, ready(c.links[i:]), func(ctx context.Context, m Model) (Completion, error) {
			return c.meter.watch(ctx, m, ask)
		})
		if err == nil {
			return completion, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return Completion{}, errors.Join(errs...)
}

func hasFiles(prompt Prompt) bool {
	for _, m := range prompt.Messages {
		if len(m.Files) > 0 {
			return true
		}
	}
	return false
}

// ready counts the models that can be asked now.
func ready(links []*link) int {
	n := 0
	for _, l := range links {
		if !l.breaker.IsOpen() || l.breaker.RemainingDelay() <= 0 {
			n++
		}
	}
	return max(n, 1)
}

// link is a model of a chain with what knows whether it is worth asking.
type link struct {
	model   Model
	breaker circuitbreaker.CircuitBreaker[any]
}

func newLink(log *zap.Logger, m Model, rest time.Duration) *link {
	changed := func(e circuitbreaker.StateChangedEvent) {
		log.Warn("a model's circuit breaker changed", zap.String("model", m.Name()), zap.Stringer("from", e.OldState), zap.Stringer("to", e.NewState))
	}
	return &link{model: m, breaker: circuitbreaker.NewBuilder[any]().
		WithFailureThreshold(restAfter).WithSuccessThreshold(1).WithDelay(rest).OnStateChanged(changed).Build()}
}

// ask calls the model within one of shares equal parts of the time that is left.
func (l *link) ask(ctx context.Context, shares int, ask call) (Completion, error) {
	if !l.breaker.TryAcquirePermit() {
		return Completion{}, errResting
	}
	own := ctx
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		own, cancel = context.WithTimeout(ctx, time.Until(end)/time.Duration(shares))
		defer cancel()
	}
	completion, err := ask(own, l.model)
	l.record(err)
	return completion, err
}

// record tells the breaker how a call went. What depends on the content says nothing about the provider, which was there to
// say it. A caller that went away says nothing either, but a trial must end somehow: it counts as failed.
func (l *link) record(err error) {
	switch {
	case err == nil, errors.Is(err, ErrRefused), errors.Is(err, ErrEmpty), errors.Is(err, ErrCut):
		l.breaker.RecordSuccess()
	case errors.Is(err, context.Canceled) && l.breaker.IsClosed():
	default:
		l.breaker.RecordFailure()
	}
}
