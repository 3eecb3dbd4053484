// Package erasure removes what is kept of customers who were deleted: here, at channels and at rag. The work is durable and is
// tried again until all three are through.
package erasure

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/services/conversation"
)

// Store keeps the erasures, and what they are of. All that take a task return conversation.ErrLeaseLost, changing nothing, if
// another worker has it.
type Store interface {
	// ClaimErasure leases the one that is due longest. Returns conversation.ErrNotFound if none is.
	ClaimErasure(ctx context.Context, lease time.Duration) (conversation.ErasureTask, error)
	// HoldErasure prolongs the lease.
	HoldErasure(ctx context.Context, t conversation.ErasureTask, lease time.Duration) error
	// PutOffErasure makes it due after the delay, with a cause if it failed.
	PutOffErasure(ctx context.Context, t conversation.ErasureTask, delay time.Duration, cause string) error
	// ErasureBusy reports whether something is under way that would leave traces behind.
	ErasureBusy(ctx context.Context, t conversation.ErasureTask) (bool, error)
	// AddressesErased notes that channels keeps nothing under the customer's addresses.
	AddressesErased(ctx context.Context, t conversation.ErasureTask) error
	// ErasureTraces returns what others keep of the next messages that are to go; no messages if none is left.
	ErasureTraces(ctx context.Context, t conversation.ErasureTask) (conversation.Traces, error)
	// EraseMessages removes those messages, once others have forgotten them.
	EraseMessages(ctx context.Context, t conversation.ErasureTask, forgotten []conversation.MessageID) error
	// ErasePayloads looks through the next payloads of webhooks, and reports whether there were any.
	ErasePayloads(ctx context.Context, t conversation.ErasureTask) (more bool, err error)
	// FinishErasure removes the user, and reports whether nothing is left.
	FinishErasure(ctx context.Context, t conversation.ErasureTask) (done bool, err error)
}

const (
	// look is how often the store is looked at for what nobody announced.
	look = time.Second
	// lease is longer than any one step.
	lease        = 2 * time.Minute
	stepTimeout  = time.Minute
	claimTimeout = 5 * time.Second
	// busyPause is how soon to look again at what was under way.
	busyPause = time.Second
)

// errBusy says that something is under way whose end has to be waited for.
var errBusy = errors.New("something is under way")

// Eraser works through the erasures, one at a time.
type Eraser struct {
	store         Store
	channels, rag conversation.Custodian
	log           *zap.Logger
	wake          chan struct{}
}

// NewEraser returns one. Run starts it.
func NewEraser(store Store, channels, rag conversation.Custodian, log *zap.Logger) *Eraser {
	return &Eraser{store: store, channels: channels, rag: rag, log: log, wake: make(chan struct{}, 1)}
}

// Wake makes the eraser look for work at once.
func (e *Eraser) Wake() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends. What is under way then is handed back.
func (e *Eraser) Run(ctx context.Context) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for ctx.Err() == nil {
		if e.next(ctx) {
			continue
		}
		select {
		case <-ctx.Done():
		case <-e.wake:
		case <-tick.C:
		}
	}
	return nil
}

// next takes up one erasure, and reports whether there was one.
func (e *Eraser) next(ctx context.Context) bool {
	claim, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	t, err := e.store.ClaimErasure(claim, lease)
	if err != nil {
		return false // the next look comes soon
	}
	err = e.erase(ctx, t)
	if err == nil {
		e.log.Info("a customer was erased", zap.String("user", string(t.User)), zap.Int("failures", t.Failures))
		return true
	}
	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTimeout)
	defer cancel()
	if err := e.putOff(ctx, settle, t, err); err != nil && !errors.Is(err, conversation.ErrLeaseLost) { // the lease ends, and it is tried again
		e.log.Warn("an erasure could not be put off", zap.String("user", string(t.User)), zap.Error(err))
	}
	return true
}

// putOff does what a failure means for an erasure. None is ever given up.
func (e *Eraser) putOff(ctx, settle context.Context, t conversation.ErasureTask, err error) error {
	switch {
	case errors.Is(err, conversation.ErrLeaseLost):
		return nil
	case ctx.Err() != nil:
		return e.store.PutOffErasure(settle, t, 0, "")
	case errors.Is(err, errBusy):
		return e.store.PutOffErasure(settle, t, busyPause, "")
	}
	cause, delay := "STORE_UNAVAILABLE", conversation.Backoff(t.Failures+1)
	var p *conversation.PeerError
	if errors.As(err, &p) {
		cause, delay = p.Reason, max(delay, p.RetryAfter)
	}
	e.log.Warn("an erasure failed, it is tried again", zap.String("user", string(t.User)), zap.String("reason", cause),
		zap.Int("failures", t.Failures+1), zap.Duration("delay", delay), zap.Error(err))
	return e.store.PutOffErasure(settle, t, delay, cause)
}

// erase takes one erasure through all its steps. Each may be repeated, and goes on where it was broken off.
func (e *Eraser) erase(ctx context.Context, t conversation.ErasureTask) error {
	for _, step := range []func(context.Context, conversation.ErasureTask) error{
		e.calm, e.addresses, e.messages, e.payloads, e.customer, e.finish,
	} {
		if err := step(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// held runs one bounded piece of work with the lease prolonged.
func (e *Eraser) held(ctx context.Context, t conversation.ErasureTask, work func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	if err := e.store.HoldErasure(ctx, t, lease); err != nil {
		return err
	}
	return work(ctx)
}

// calm sees to it that nothing is under way.
func (e *Eraser) calm(ctx context.Context, t conversation.ErasureTask) error {
	return e.held(ctx, t, func(ctx context.Context) error {
		busy, err := e.store.ErasureBusy(ctx, t)
		if err == nil && busy {
			err = errBusy
		}
		return err
	})
}

// addresses comes first and once: who writes again meanwhile has the same addresses, and is somebody new.
func (e *Eraser) addresses(ctx context.Context, t conversation.ErasureTask) error {
	if t.Addresses {
		return nil
	}
	return e.held(ctx, t, func(ctx context.Context) error {
		if err := e.channels.ForgetCustomer(ctx, t); err != nil {
			return err
		}
		return e.store.AddressesErased(ctx, t)
	})
}

// messages removes messages batch by batch: first what others keep of them, because nobody would know of it afterwards.
func (e *Eraser) messages(ctx context.Context, t conversation.ErasureTask) error {
	for more := true; more; {
		err := e.held(ctx, t, func(ctx context.Context) error {
			traces, err := e.store.ErasureTraces(ctx, t)
			if more = len(traces.Messages) > 0; err != nil || !more {
				return err
			}
			if err := e.channels.ForgetMessages(ctx, t, traces); err != nil {
				return err
			}
			if err := e.rag.ForgetMessages(ctx, t, traces); err != nil {
				return err
			}
			return e.store.EraseMessages(ctx, t, traces.Messages)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// payloads looks through the payloads of webhooks that no message leads to: reports, repeats, what was ignored.
func (e *Eraser) payloads(ctx context.Context, t conversation.ErasureTask) error {
	for more := true; more; {
		err := e.held(ctx, t, func(ctx context.Context) (err error) {
			more, err = e.store.ErasePayloads(ctx, t)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *Eraser) customer(ctx context.Context, t conversation.ErasureTask) error {
	return e.held(ctx, t, func(ctx context.Context) error { return e.rag.ForgetCustomer(ctx, t) })
}

func (e *Eraser) finish(ctx context.Context, t conversation.ErasureTask) error {
	return e.held(ctx, t, func(ctx context.Context) error {
		done, err := e.store.FinishErasure(ctx, t)
		if err == nil && !done {
			err = errBusy
		}
		return err
	})
}
