// Package webhook is the use case of the edge: a webhook is verified over its raw bytes, decoded, and stored before it is
// acknowledged. What is refused is noted beside that path, never on it.
package webhook

import (
	"context"
	"errors"
	"time"

	gateway "github.com/knobot/knobot/services/gateway"
	"github.com/knobot/knobot/services/gateway/internal/telegram"
	"github.com/knobot/knobot/services/gateway/internal/whatsapp"
)

// Verifier tells real webhooks from forged ones. Its errors are gateway.ErrNotSynced, gateway.ErrMissingCredential and
// gateway.ErrWrongCredential.
type Verifier interface {
	// WhatsApp returns what a signed body may speak for.
	WhatsApp(body []byte, signatures []string) (gateway.Scope, error)
	// Telegram returns the bot that a secret stands for.
	Telegram(secrets []string) (gateway.Bot, error)
	// VerifyToken checks the token of a handshake.
	VerifyToken(token string) error
}

// Store keeps verified webhooks.
type Store interface {
	// Ingest stores a delivery, or returns the store's error having stored nothing that a repeat would not recognise.
	Ingest(ctx context.Context, d gateway.Delivery) error
}

// Noter takes note of refused webhooks. Note never blocks.
type Noter interface{ Note(r gateway.Rejection) }

// Receiver receives the webhooks of both platforms.
type Receiver struct {
	verifier Verifier
	store    Store
	rejected Noter
	now      func() time.Time
	guesses  guesses
}

// NewReceiver makes a receiver.
func NewReceiver(verifier Verifier, store Store, rejected Noter) *Receiver {
	return &Receiver{verifier: verifier, store: store, rejected: rejected, now: time.Now, guesses: guesses{now: time.Now}}
}

// Handshake is Meta's subscription request.
type Handshake struct {
	Mode, Challenge, VerifyToken string
}

// Post is a webhook as it came.
type Post struct {
	Body []byte
	// Credentials are the values of the header that proves who sent it.
	Credentials   []string
	RemoteAddress string
}

// VerifyWhatsApp answers a handshake with its challenge. It returns gateway.ErrWrongVerifyToken,
// gateway.ErrMissingChallenge, gateway.ErrTooManyGuesses or gateway.ErrNotSynced otherwise.
func (r *Receiver) VerifyWhatsApp(h Handshake, remote string) (string, error) {
	if r.guesses.blocked(remote) {
		return "", gateway.ErrTooManyGuesses
	}
	err := r.verifier.VerifyToken(h.VerifyToken)
	switch {
	case errors.Is(err, gateway.ErrNotSynced):
		return "", err
	case err != nil || h.Mode != "subscribe":
		r.guesses.miss(remote)
		r.Refuse(gateway.WhatsApp, remote, gateway.ErrWrongVerifyToken)
		return "", gateway.ErrWrongVerifyToken
	case h.Challenge == "":
		return "", gateway.ErrMissingChallenge
	default:
		return h.Challenge, nil
	}
}

// ReceiveWhatsApp verifies, decodes and stores one delivery of Meta's. It returns an error of package gateway for a
// delivery that is refused, else the store's.
func (r *Receiver) ReceiveWhatsApp(ctx context.Context, p Post) error {
	events, err := r.readWhatsApp(p)
	return r.finish(ctx, gateway.WhatsApp, p, events, err)
}

func (r *Receiver) readWhatsApp(p Post) ([]gateway.Event, error) {
	if len(p.Body) > gateway.MaxBodyBytes {
		return nil, gateway.ErrBodyTooLarge
	}
	scope, err := r.verifier.WhatsApp(p.Body, p.Credentials)
	if err != nil {
		return nil, err
	}
	events, err := whatsapp.Decode(p.Body, scope, r.now())
	if err == nil && scope.Unsigned && onlyForeign(events) {
		// Without a signature the number is all there is: a body that speaks for none of ours proves nothing.
		return nil, gateway.ErrMissingCredential
	}
	return events, err
}

func onlyForeign(events []gateway.Event) bool {
	for i := range events {
		if events[i].ForeignNumber == "" {
			return false
		}
	}
	return true
}

// ReceiveTelegram verifies, decodes and stores one update. Errors as for ReceiveWhatsApp.
func (r *Receiver) ReceiveTelegram(ctx context.Context, p Post) error {
	events, err := r.readTelegram(p)
	return r.finish(ctx, gateway.Telegram, p, events, err)
}

func (r *Receiver) readTelegram(p Post) ([]gateway.Event, error) {
	if len(p.Body) > gateway.MaxBodyBytes {
		return nil, gateway.ErrBodyTooLarge
	}
	bot, err := r.verifier.Telegram(p.Credentials)
	if err != nil {
		return nil, err
	}
	return telegram.Decode(p.Body, bot, r.now())
}

// finish notes a refusal, or stores what was read.
func (r *Receiver) finish(ctx context.Context, platform gateway.Platform, p Post, events []gateway.Event, err error) error {
	if err != nil {
		r.Refuse(platform, p.RemoteAddress, err)
		return err
	}
	return r.store.Ingest(ctx, gateway.Delivery{
		Platform: platform, Payload: p.Body, Events: events, RemoteAddress: p.RemoteAddress,
	})
}

// Refuse notes that a webhook was refused for err; an error that says nothing about the sender is not noted.
func (r *Receiver) Refuse(platform gateway.Platform, remote string, err error) {
	if reason := reasonOf(err); reason != 0 {
		r.rejected.Note(gateway.Rejection{Platform: platform, RemoteAddress: remote, Reason: reason})
	}
}

func reasonOf(err error) gateway.RejectionReason {
	switch {
	case errors.Is(err, gateway.ErrMissingCredential):
		return gateway.RejectedMissingCredential
	case errors.Is(err, gateway.ErrWrongCredential):
		return gateway.RejectedWrongCredential
	case errors.Is(err, gateway.ErrMalformedBody):
		return gateway.RejectedMalformedBody
	case errors.Is(err, gateway.ErrWrongVerifyToken):
		return gateway.RejectedWrongVerifyToken
	case errors.Is(err, gateway.ErrBodyTooLarge):
		return gateway.RejectedBodyTooLarge
	case errors.Is(err, gateway.ErrForeignSource):
		return gateway.RejectedForeignSource
	default:
		return 0
	}
}
