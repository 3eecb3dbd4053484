package conversation

import "time"

// Delivery is a verified webhook on its way into the store.
type Delivery struct {
	Log           LogID
	Platform      Platform
	Payload       []byte
	RemoteAddress string
	// Trace is the W3C traceparent of the webhook, empty where nobody traces.
	Trace    string
	Arrivals []Arrival
	// Continued says that the log row is there already, and only events are added to it.
	Continued bool
}

// Arrival is an event together with what is to be done about it.
type Arrival struct {
	Event
	// Ordinal is its place in the webhook.
	Ordinal     int32
	Integration Integration
	// Outcome is set when it was decided beforehand: ignored, foreign_number, failed.
	Outcome Outcome
	// Error says why, for failed.
	Error string
	// Plan is what a message or press asks for.
	Plan Plan
	// Message is the content, or what a press amounts to; nil for other contents.
	Message *InboundMessage
	// StaleAfter is from which age on it is not answered, Debounce how long a burst is waited for.
	StaleAfter, Debounce time.Duration
	// StaffPause is how long the bot keeps silent after it, for a message of staff.
	StaffPause time.Duration
}

// Receipt says what was stored of a delivery.
type Receipt struct {
	Log LogID
	// Duplicate says that every event was known already.
	Duplicate bool
	// Outcomes are those of the arrivals, in their order.
	Outcomes []Outcome
	// Opened is how many turns have new work, Files how many files are to be fetched.
	Opened, Files int
	// Conversations are those that it has messages of, each once.
	Conversations []ID
	// Paused says of each arrival that the bot keeps silent in its conversation: nothing is shown to the customer either.
	Paused []bool
}

// RejectionReason is why a delivery was refused.
type RejectionReason string

// The reasons.
const (
	Unsigned         RejectionReason = "missing_credential"
	Forged           RejectionReason = "wrong_credential"
	MalformedBody    RejectionReason = "malformed_body"
	WrongVerifyToken RejectionReason = "wrong_verify_token"
	BodyTooLarge     RejectionReason = "body_too_large"
	ForeignSource    RejectionReason = "foreign_source"
)

// Status returns the HTTP status that the gateway gave for it.
func (r RejectionReason) Status() int32 {
	switch r {
	case MalformedBody:
		return 400
	case WrongVerifyToken, ForeignSource:
		return 403
	case BodyTooLarge:
		return 413
	default:
		return 401
	}
}

// Rejection is a delivery that failed verification.
type Rejection struct {
	Platform      Platform
	RemoteAddress string
	Reason        RejectionReason
}

// RejectionCount is how many were refused alike.
type RejectionCount struct {
	Platform Platform
	Reason   RejectionReason
	Count    int64
}
