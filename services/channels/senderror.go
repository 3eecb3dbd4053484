package channels

import (
	"fmt"
	"time"
)

// Class says what a failed call to a provider means for the message and for the integration. The clients classify,
// because they know their provider's codes; nobody else looks at a code.
type Class int

// The classes. Every class but InDoubt says for sure that the message did not go out.
const (
	// ClassRetry is a failure of the provider before it took the message: the same may be tried again.
	ClassRetry Class = iota
	// ClassThrottled asks the whole integration to wait; RetryAfter says how long when the provider did.
	ClassThrottled
	// ClassPairThrottled asks to wait for this one recipient (WhatsApp 131056: 4^n seconds); others are not affected.
	ClassPairThrottled
	// ClassInDoubt is a call whose outcome is unknown: a timeout, a broken connection after the request was written, an
	// answer that cannot be read. The message may have gone out.
	ClassInDoubt
	// ClassDropRecipient says that this recipient cannot be reached.
	ClassDropRecipient
	// ClassBotBlocked says that the customer blocked the bot, or that it was thrown out of the group.
	ClassBotBlocked
	// ClassWindowClosed says that WhatsApp's 24-hour window is over: only a template may be sent (131047).
	ClassWindowClosed
	// ClassStopIntegration says that the provider refuses our credentials or account: nothing more goes out until a person
	// has done something.
	ClassStopIntegration
	// ClassInvalid says that the provider refuses the message itself: never try the same again.
	ClassInvalid
	// ClassMigrated says that a Telegram group became a supergroup: send to MigrateToChatID instead.
	ClassMigrated
)

// String names the class for logs and metrics.
func (c Class) String() string {
	names := [...]string{
		"retry", "throttled", "pair_throttled", "in_doubt", "drop_recipient", "bot_blocked", "window_closed",
		"stop_integration", "invalid", "migrated",
	}
	if c < 0 || int(c) >= len(names) {
		return "unknown"
	}
	return names[c]
}

// SendError says what a failed call means.
type SendError struct {
	Class Class
	// Code is the provider's own, 0 for none.
	Code int
	// Message is the provider's explanation or ours. It may be shown to people and never holds a secret or an address
	// with one.
	Message string
	// RetryAfter is how long the provider asked to wait, 0 when it did not say.
	RetryAfter time.Duration
	// MigrateToChatID is the new chat, for ClassMigrated.
	MigrateToChatID int64
	// Err is the cause, for errors.Is; its text holds no secret either.
	Err error
}

// Error returns class, code and message.
func (e *SendError) Error() string {
	if e.Code == 0 {
		return fmt.Sprintf("%s: %s", e.Class, e.Message)
	}
	return fmt.Sprintf("%s: %s (code %d)", e.Class, e.Message, e.Code)
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }
