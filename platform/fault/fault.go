// Package fault is the one table of errors of all services.
//
// A use case returns an [Error] with a [Kind], a stable reason and a sentence
// that a caller may read. [Status] turns any error into the gRPC status that
// leaves the process: what is not in the table becomes INTERNAL with a fixed
// sentence, so that no SQLSTATE, path, address or token ever does.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what a caller can do about an error.
type Kind int

// The kinds, and the gRPC code each one travels as.
const (
	Invalid         Kind = iota + 1 // INVALID_ARGUMENT: the request can never succeed
	NotFound                        // NOT_FOUND
	Conflict                        // ALREADY_EXISTS
	Unauthenticated                 // UNAUTHENTICATED: nobody known is asking
	Denied                          // PERMISSION_DENIED: somebody known may not
	Precondition                    // FAILED_PRECONDITION: the state forbids it now
	Throttled                       // RESOURCE_EXHAUSTED: later, see RetryAfterOf
	InFlight                        // ABORTED: the same request is being worked on
	Unavailable                     // UNAVAILABLE: try again
	Internal                        // INTERNAL: a fault of ours
)

// Error is an error that callers may see. Create it with [New].
type Error struct {
	kind       Kind
	reason     string
	message    string
	cause      error
	retryAfter time.Duration
	hasRetry   bool
}

// New returns an error whose message is safe for callers. The reason is in
// UPPER_SNAKE, stable, and what programs compare.
func New(kind Kind, reason, message string) *Error {
	return &Error{kind: kind, reason: reason, message: message}
}

// Newf is [New] with a formatted message. Every argument is shown to callers.
func Newf(kind Kind, reason, format string, a ...any) *Error {
	return New(kind, reason, fmt.Sprintf(format, a...))
}

// WithCause returns a copy that wraps err. The cause is for logs and
// errors.Is; it is never sent.
func (e *Error) WithCause(err error) *Error {
	c := *e
	c.cause = err
	return &c
}

// WithRetryAfter returns a copy that tells the caller when to try again.
func (e *Error) WithRetryAfter(d time.Duration) *Error {
	c := *e
	c.retryAfter, c.hasRetry = max(d, 0), true
	return &c
}

// Error is the text for logs: it includes the cause.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.reason + ": " + e.message
	}
	return e.reason + ": " + e.message + ": " + e.cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Kind returns the error's kind.
func (e *Error) Kind() Kind { return e.kind }

// Reason returns the error's reason.
func (e *Error) Reason() string { return e.reason }

// Message returns the sentence for callers.
func (e *Error) Message() string { return e.message }

// KindOf returns the kind of an error of ours, of a peer's status, or of a
// context that ended (Unavailable: the work is undone and may be tried again).
// Anything else is Internal; nil has no kind and gives 0.
func KindOf(err error) Kind {
	if err == nil {
		return 0
	}
	return classify(err).kind
}

// ReasonOf returns the reason of an error of ours or of a peer's status, or "".
func ReasonOf(err error) string {
	if err == nil {
		return ""
	}
	return classify(err).reason
}

// RetryAfterOf returns when to try again, if the error says so.
func RetryAfterOf(err error) (time.Duration, bool) {
	if err == nil {
		return 0, false
	}
	c := classify(err)
	return c.retryAfter, c.hasRetry
}

// MessageOf returns the sentence that a caller may read.
func MessageOf(err error) string {
	if err == nil {
		return ""
	}
	return classify(err).message
}

// IsKind reports whether err has the kind.
func IsKind(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// as finds an error of ours anywhere in the chain.
func as(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok && e != nil
}
