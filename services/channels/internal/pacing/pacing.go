// Package pacing keeps us from sending before a provider allows it. Pauses live in the database, so that all replicas obey
// one provider's answer to any of them.
package pacing

import (
	"context"
	"time"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

const (
	// defaultPause is for a provider that asks to wait and does not say how long.
	defaultPause = 5 * time.Second
	// Meta wants 4^n seconds between messages to one user after its n-th error 131056 in a row
	// (developers.facebook.com/documentation/business-messaging/whatsapp/about-the-platform, read 2026-11-23).
	pairBase    = 4
	pairQuiet   = 10 * time.Minute
	pairLongest = time.Hour
)

// Store keeps pauses.
type Store interface {
	// PauseLeft returns how long a recipient of an integration still has to wait, 0 for not at all.
	PauseLeft(ctx context.Context, integrationID, recipient string) (time.Duration, error)
	// Pause makes a recipient wait, or the whole integration for an empty one.
	Pause(ctx context.Context, integrationID, recipient string, d time.Duration) error
	// PauseHarder makes a recipient wait base^n for the n-th refusal in a row, and returns how long.
	PauseHarder(ctx context.Context, integrationID, recipient string, base float64, quiet, longest time.Duration) (time.Duration, error)
}

// Pacer remembers who must not be sent to before when.
type Pacer struct{ store Store }

// New returns a pacer.
func New(store Store) *Pacer { return &Pacer{store: store} }

// Permit returns nil if the recipient may be sent to now, else a fault of kind Throttled that says when.
func (p *Pacer) Permit(ctx context.Context, to channels.Address) error {
	left, err := p.store.PauseLeft(ctx, to.IntegrationID, to.Recipient())
	if err != nil {
		return err
	}
	if left > 0 {
		return Throttled(left)
	}
	return nil
}

// Slow takes a provider's request to wait and returns how long that is.
func (p *Pacer) Slow(ctx context.Context, to channels.Address, e *channels.SendError) (time.Duration, error) {
	if e.Class == channels.ClassPairThrottled && e.RetryAfter == 0 {
		return p.store.PauseHarder(ctx, to.IntegrationID, to.Recipient(), pairBase, pairQuiet, pairLongest)
	}
	wait := e.RetryAfter
	if wait <= 0 {
		wait = defaultPause
	}
	return wait, p.store.Pause(ctx, to.IntegrationID, scope(to, e.Class), wait)
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

// Throttled says when to come back.
func Throttled(after time.Duration) error {
	return fault.New(fault.Throttled, "THROTTLED", "the provider asked to wait").WithRetryAfter(after)
}
