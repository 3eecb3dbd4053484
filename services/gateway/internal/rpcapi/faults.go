package rpcapi

import (
	"errors"
	"time"

	"github.com/knobot/knobot/platform/fault"
	gateway "github.com/knobot/knobot/services/gateway"
)

const (
	// ReasonBodyTooLarge is the reason that HTTP answers with 413, for which gRPC has no code.
	ReasonBodyTooLarge = "BODY_TOO_LARGE"
	// ReasonTooManyGuesses is the reason that HTTP answers with 429; RESOURCE_EXHAUSTED is otherwise a peer's, and 503.
	ReasonTooManyGuesses = "TOO_MANY_GUESSES"
)

// retryAfter asks a provider to come back soon: its own first pause may be longer, and a chat waits meanwhile.
const retryAfter = 2 * time.Second

// toFault turns a refusal into its fault. Why a credential was refused is not told: it would help only a forger. What
// the store says stays inside; the provider shall simply deliver again.
func toFault(err error) error {
	switch {
	case errors.Is(err, gateway.ErrNotSynced):
		return fault.New(fault.Unavailable, "NOT_SYNCED", "not ready, deliver again").WithRetryAfter(retryAfter)
	case errors.Is(err, gateway.ErrMissingCredential), errors.Is(err, gateway.ErrWrongCredential):
		return fault.New(fault.Unauthenticated, "WEBHOOK_REFUSED", "unauthorized").WithCause(err)
	case errors.Is(err, gateway.ErrWrongVerifyToken):
		return fault.New(fault.Denied, "VERIFY_TOKEN_REFUSED", "forbidden")
	case errors.Is(err, gateway.ErrTooManyGuesses):
		return fault.New(fault.Throttled, ReasonTooManyGuesses, "too many requests")
	case errors.Is(err, gateway.ErrMissingChallenge):
		return fault.New(fault.Invalid, "CHALLENGE_MISSING", "hub.challenge is missing")
	case errors.Is(err, gateway.ErrMalformedBody):
		return fault.New(fault.Invalid, "BODY_NOT_JSON", "the body is not JSON")
	case errors.Is(err, gateway.ErrBodyTooLarge):
		return fault.New(fault.Invalid, ReasonBodyTooLarge, "the body is too large")
	default:
		return fault.New(fault.Unavailable, "NOT_STORED", "not stored, deliver again").WithRetryAfter(retryAfter).WithCause(err)
	}
}
