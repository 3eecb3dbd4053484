package delivery

import (
	"context"
	"errors"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

// final says which failures waiting does not cure.
func final(c channels.Class) bool {
	switch c {
	case channels.ClassDropRecipient, channels.ClassBotBlocked, channels.ClassWindowClosed, channels.ClassInvalid:
		return true
	default:
		return false
	}
}

// refusalOf returns why an integration sends nothing, nil if it does.
func refusalOf(i channels.Integration) error {
	state, reason := i.State()
	switch state {
	case channels.StateEnabled:
		return nil
	case channels.StateIncomplete:
		return fault.Newf(fault.Precondition, "INTEGRATION_INCOMPLETE", "the integration is incomplete: %s", reason)
	case channels.StateStopped:
		return fault.Newf(fault.Precondition, "INTEGRATION_STOPPED", "the integration is stopped: %s", reason)
	case channels.StateDisabled, channels.StateDeleted:
		return fault.Newf(fault.Precondition, "INTEGRATION_DISABLED", "the integration is %s", state)
	default:
		return fault.New(fault.Internal, "INTERNAL", "unknown state")
	}
}

func outcomeUnknown() error {
	return fault.New(fault.Precondition, "OUTCOME_UNKNOWN", "it was sent twice and the outcome of both tries stayed unknown: the customer may have it")
}

const reasonWindowClosed = "WHATSAPP_WINDOW_CLOSED"

func windowClosed() error {
	return fault.New(fault.Precondition, reasonWindowClosed,
		"24 hours have passed since the customer's last message: WhatsApp takes a template only")
}

// asFault turns what a step ended with into what the caller sees.
func asFault(err error) error {
	if wait, ok := errors.AsType[*channels.WaitError](err); ok {
		reason := "IN_FLIGHT"
		if errors.Is(wait, channels.ErrInDoubt) {
			reason = "DELIVERY_IN_DOUBT"
		}
		return fault.New(fault.InFlight, reason, wait.Error()).WithRetryAfter(wait.RetryAfter)
	}
	if e, ok := errors.AsType[*channels.SendError](err); ok {
		return providerFault(e)
	}
	switch {
	case errors.Is(err, channels.ErrNotFound):
		return fault.New(fault.NotFound, "DELIVERY_NOT_FOUND", "no such request")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Unavailable, "CALLER_GONE", "the call ended before all parts were sent").WithCause(err)
	}
	return err
}

// providerFault is the table of what a provider's answer means for the caller.
func providerFault(e *channels.SendError) error {
	var f *fault.Error
	switch e.Class {
	case channels.ClassThrottled, channels.ClassPairThrottled:
		f = fault.Newf(fault.Throttled, "THROTTLED", "the provider asked to wait: %s", e.Message).WithRetryAfter(e.RetryAfter)
	case channels.ClassInDoubt:
		f = fault.New(fault.Unavailable, "PROVIDER_UNAVAILABLE", "the provider did not answer")
	case channels.ClassDropRecipient:
		f = fault.Newf(fault.Precondition, "RECIPIENT_UNREACHABLE", "the recipient cannot be reached: %s", e.Message)
	case channels.ClassBotBlocked:
		f = fault.Newf(fault.Precondition, "BOT_BLOCKED", "the customer does not let the bot in: %s", e.Message)
	case channels.ClassWindowClosed:
		return windowClosed()
	case channels.ClassStopIntegration:
		f = fault.Newf(fault.Precondition, "INTEGRATION_STOPPED", "the provider refuses the integration: %s", e.Message)
	case channels.ClassInvalid, channels.ClassMigrated:
		f = fault.Newf(fault.Invalid, "MESSAGE_REFUSED", "the provider refuses the message: %s", e.Message)
	case channels.ClassRetry:
		f = fault.Newf(fault.Unavailable, "PROVIDER_UNAVAILABLE", "the provider failed: %s", e.Message)
		if e.RetryAfter > 0 {
			f = f.WithRetryAfter(e.RetryAfter)
		}
	}
	return f.WithCause(e)
}
