package rpcapi

import (
	"errors"

	"github.com/google/uuid"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
)

// problem gives the domain's errors their place in the table of errors. Anything else goes on as it is: the server masks it.
func problem(err error) error {
	switch {
	case errors.Is(err, conversation.ErrNotFound):
		return fault.New(fault.NotFound, "NOT_FOUND", "there is none with this id").WithCause(err)
	case errors.Is(err, conversation.ErrClosed):
		return fault.New(fault.Precondition, "CONVERSATION_CLOSED", "the conversation ended, the customer's next message opens another one").WithCause(err)
	case errors.Is(err, conversation.ErrWindowClosed):
		return fault.New(fault.Precondition, "WINDOW_CLOSED", "the customer wrote more than 24 hours ago: WhatsApp allows templates only").WithCause(err)
	case errors.Is(err, conversation.ErrRequestReused):
		return fault.New(fault.Conflict, "REQUEST_ID_REUSED", "the request_id stands for something else already").WithCause(err)
	case errors.Is(err, conversation.ErrTooMany):
		return fault.New(fault.Throttled, "TOO_MANY_SUBSCRIPTIONS", "there are as many subscriptions as may be").WithCause(err)
	case errors.Is(err, conversation.ErrDisabled):
		return fault.New(fault.Precondition, "SUBSCRIPTION_DISABLED", "the subscription is disabled").WithCause(err)
	case errors.Is(err, conversation.ErrNothingDead):
		return fault.New(fault.Precondition, "NOTHING_DEAD", "none of its events is dead").WithCause(err)
	case errors.Is(err, conversation.ErrBusy):
		return fault.New(fault.Precondition, "CONVERSATION_BUSY", "the conversation is being answered, try again in a moment").WithCause(err)
	default:
		return err
	}
}

// id accepts what may be the id of something.
func id[T ~string](s string) (T, error) {
	if !isID(s) {
		return "", fault.New(fault.Invalid, "ID_INVALID", "an id looks like 01890a5d-ac96-774b-bcce-b302099a8057")
	}
	return T(s), nil
}

// optionalID is id for filters, where empty means all.
func optionalID[T ~string](s string) (T, error) {
	if s == "" {
		return "", nil
	}
	return id[T](s)
}

// isID reports whether s has the one form that our ids have.
func isID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }
