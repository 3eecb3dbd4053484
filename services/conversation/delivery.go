package conversation

import "time"

// DeliveryState is how far a message of ours came. A higher one never goes back to a lower: providers report late and out
// of order, and a failure of one part is the failure of the message.
type DeliveryState int32

// The states in their order.
const (
	DeliveryUnspecified DeliveryState = iota
	DeliverySent
	DeliveryDelivered
	DeliveryRead
	DeliveryPlayed
	DeliveryFailed
)

// String is the state's name in logs and metrics.
func (s DeliveryState) String() string {
	switch s {
	case DeliverySent:
		return "sent"
	case DeliveryDelivered:
		return "delivered"
	case DeliveryRead:
		return "read"
	case DeliveryPlayed:
		return "played"
	case DeliveryFailed:
		return "failed"
	default:
		return "unspecified"
	}
}

// After returns the state that holds once a report of next has come in.
func (s DeliveryState) After(next DeliveryState) DeliveryState { return max(s, next) }

// DeliveryReport is what a provider says of a message that we sent.
type DeliveryReport struct {
	MessageID       string
	State           DeliveryState
	Echo            string
	ErrorCode       int32
	ErrorMessage    string
	PricingCategory string
	Billable        bool
	// PricingModel and PricingType are Meta's words for how it is priced.
	PricingModel, PricingType string
}

// QueuedReport is a report on its way to channels.
type QueuedReport struct {
	DeliveryReport
	// Place is its number in the queue: reports of an integration are handed on in this order.
	Place int64
	// Trace is the W3C traceparent of the webhook that brought it, empty where nobody traced that.
	Trace string
}

// ReportOutcome is what channels made of a report.
type ReportOutcome struct {
	// Request is empty for a message that is not ours.
	Request RequestID
	// State is the whole delivery's.
	State DeliveryState
	// WindowClosed says that the answer did not reach the customer, because WhatsApp's window was over.
	WindowClosed bool
	// RetryAfter is set when the message was lost at the provider and the same request sends it again: after that long.
	RetryAfter time.Duration
}
