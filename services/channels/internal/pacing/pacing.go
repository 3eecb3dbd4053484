// Package pacing keeps us from sending before a provider allows it. Quotas and pauses live in the database, so that all
// replicas count together and obey one provider's answer to any of them.
package pacing

import (
	"context"
	"time"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

const (
	// longestWait is how long a message is kept waiting in place; beyond it the caller is told when to come back.
	longestWait = 2 * time.Second
	// longestDraftWait is the same for a draft.
	longestDraftWait = 250 * time.Millisecond
	// returnTimeout bounds giving a place back. One that is not given back is one message less, once.
	returnTimeout = time.Second
	// defaultPause is for a provider that asks to wait and does not say how long.
	defaultPause = 5 * time.Second
	// Meta wants 4^n seconds between messages to one user after its n-th error 131056 in a row
	// (developers.facebook.com/documentation/business-messaging/whatsapp/about-the-platform, read 2026-11-23).
	pairBase    = 4
	pairQuiet   = 10 * time.Minute
	pairLongest = time.Hour
)

// drafts stands for the drafts of an integration among those who are paused; no recipient is called so.
const drafts = "drafts"

// Store keeps quotas and pauses.
type Store interface {
	// TakePlace takes a place under all quotas of a request, or none.
	TakePlace(ctx context.Context, r channels.PlaceRequest) (channels.Place, error)
	// ReturnPlace gives back what TakePlace took.
	ReturnPlace(ctx context.Context, integrationID string, quotas []channels.Quota) error
	// Pause makes a recipient wait, or the whole integration for an empty one.
	Pause(ctx context.Context, integrationID, recipient string, d time.Duration) error
	// PauseHarder makes a recipient wait base^n for the n-th refusal in a row, and returns how long.
	PauseHarder(ctx context.Context, integrationID, recipient string, base float64, quiet, longest time.Duration) (time.Duration, error)
}

// Pacer remembers who must not be sent to before when.
type Pacer struct {
	limits Limits
	store  Store
}

// New returns a pacer that keeps the given limits.
func New(l Limits, store Store) *Pacer { return &Pacer{limits: l, store: store} }

// Permit takes a place for one message and waits for it, if that is not for long and the caller has so much time. Else it
// returns a fault of kind Throttled that says when to come back, and has taken nothing. A caller who goes away while waiting
// takes nothing either.
func (p *Pacer) Permit(ctx context.Context, to channels.Address) error {
	return p.take(ctx, longestWait, channels.PlaceRequest{
		IntegrationID: to.IntegrationID, Quotas: p.limits.quotas(to), PausedFor: []string{"", to.Recipient()},
	})
}

// Return gives back the place of a message that was not sent after all. Best effort.
func (p *Pacer) Return(ctx context.Context, to channels.Address) {
	p.giveBack(ctx, to.IntegrationID, p.limits.quotas(to))
}

// PermitDraft is Permit for a draft, which is worth less than any message: it waits for a moment only, and takes a place of
// its bot but none of its chat, so that it never delays the answer.
func (p *Pacer) PermitDraft(ctx context.Context, to channels.Address) error {
	return p.take(ctx, longestDraftWait, channels.PlaceRequest{
		IntegrationID: to.IntegrationID, Quotas: []channels.Quota{p.limits.shared(to)}, PausedFor: []string{"", to.Recipient(), drafts},
	})
}

func (p *Pacer) take(ctx context.Context, patience time.Duration, r channels.PlaceRequest) error {
	for {
		r.Patience = within(ctx, patience)
		place, err := p.store.TakePlace(ctx, r)
		switch {
		case err != nil:
			return err
		case !place.Taken && place.Wait > r.Patience:
			return throttled(place.Wait)
		}
		if err := wait(ctx, place.Wait); err != nil {
			if place.Taken {
				p.giveBack(ctx, r.IntegrationID, r.Quotas)
			}
			return err
		}
		if place.Taken {
			return nil
		}
		patience -= place.Wait
	}
}

func (p *Pacer) giveBack(ctx context.Context, integrationID string, quotas []channels.Quota) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), returnTimeout)
	defer cancel()
	_ = p.store.ReturnPlace(ctx, integrationID, quotas)
}

// SlowDrafts takes a provider's request to wait that answered a draft, and returns how long that is. It holds for drafts
// alone: messages have limits of their own.
func (p *Pacer) SlowDrafts(ctx context.Context, to channels.Address, e *channels.SendError) (time.Duration, error) {
	d := waitOf(e)
	return d, p.store.Pause(ctx, to.IntegrationID, drafts, d)
}

// Slow takes a provider's request to wait and returns how long that is.
func (p *Pacer) Slow(ctx context.Context, to channels.Address, e *channels.SendError) (time.Duration, error) {
	if e.Class == channels.ClassPairThrottled && e.RetryAfter == 0 {
		return p.store.PauseHarder(ctx, to.IntegrationID, to.Recipient(), pairBase, pairQuiet, pairLongest)
	}
	d := waitOf(e)
	return d, p.store.Pause(ctx, to.IntegrationID, scope(to, e.Class), d)
}

func waitOf(e *channels.SendError) time.Duration {
	if e.RetryAfter <= 0 {
		return defaultPause
	}
	return e.RetryAfter
}

// scope returns whom a request to wait concerns. Telegram's limits are per chat first (about one message a second, 20 a
// minute in a group: https://core.telegram.org/bots/faq, read 2026-11-23), and pausing a bot for one busy group would
// silence all its customers. WhatsApp's are the number's, except that of the pair.
func scope(to channels.Address, c channels.Class) string {
	if c == channels.ClassPairThrottled || to.Telegram != nil {
		return to.Recipient()
	}
	return ""
}

func throttled(after time.Duration) error {
	return fault.New(fault.Throttled, "THROTTLED", "the provider takes no more messages for now").WithRetryAfter(after)
}

// within returns how much of d the caller has.
func within(ctx context.Context, d time.Duration) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		d = min(d, time.Until(deadline))
	}
	return max(d, 0)
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
