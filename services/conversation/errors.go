package conversation

import (
	"errors"
	"time"
)

// Errors of the store.
var (
	// ErrNotFound says that there is no such thing.
	ErrNotFound = errors.New("not found")
	// ErrLeaseLost says that another worker holds the turn now. Nothing was stored.
	ErrLeaseLost = errors.New("lease lost")
	// ErrMoved says that the customer wrote while the answer was composed. The draft was thrown away and the turn handed
	// back: it is due again when the burst is over.
	ErrMoved = errors.New("the customer wrote meanwhile")
	// ErrPaused says that staff wrote while the answer was composed. The draft was thrown away, and what they did not answer
	// waits until the pause is over.
	ErrPaused = errors.New("staff has the word")
	// ErrClosed says that the conversation ended.
	ErrClosed = errors.New("the conversation is closed")
	// ErrWindowClosed says that WhatsApp allows no free text until the customer writes again.
	ErrWindowClosed = errors.New("the service window is closed")
	// ErrRequestReused says that a request id stands for something else already.
	ErrRequestReused = errors.New("the request id is taken")
	// ErrTooMany says that there are as many as may be.
	ErrTooMany = errors.New("too many")
	// ErrDisabled says that a subscription is off.
	ErrDisabled = errors.New("disabled")
	// ErrNothingDead says that there is nothing to replay.
	ErrNothingDead = errors.New("nothing is dead")
	// ErrBusy says that the conversation is being answered right now.
	ErrBusy = errors.New("busy")
	// ErrRefused says that the database refuses the content itself: trying again is of no use.
	ErrRefused = errors.New("content refused")
)

// Verdict is what the failure of a peer means for a turn.
type Verdict int

// The verdicts.
const (
	// Retry is a failure that counts as an attempt.
	Retry Verdict = iota
	// Wait only moves the turn: throttled, in flight elsewhere, in doubt.
	Wait
	// Away only moves the turn too: nobody answers at the peer's address, and other turns need not be tried for a moment.
	Away
	// WindowClosed holds the answer until the customer writes again.
	WindowClosed
	// Refused is final: the same would be refused again.
	Refused
	// Unreachable is final, and the customer cannot be told, or need not be: they may have the answer.
	Unreachable
)

// PeerError is a failure of the answerer or the sender.
type PeerError struct {
	Verdict Verdict
	// Reason is a stable word for logs and for the events of the turn.
	Reason string
	// RetryAfter is how long the peer asked to wait, 0 when it did not say.
	RetryAfter time.Duration
	// Cause is for logs only.
	Cause error
}

// Error returns the reason and the cause.
func (e *PeerError) Error() string {
	if e.Cause == nil {
		return e.Reason
	}
	return e.Reason + ": " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *PeerError) Unwrap() error { return e.Cause }

// ReasonOutcomeUnknown is channels' word for an answer that was sent twice and may have arrived twice, once or not at all.
const ReasonOutcomeUnknown = "OUTCOME_UNKNOWN"
