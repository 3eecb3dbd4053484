package simulator

import (
	"encoding/json"
	"time"
)

// Call is one call of the program under test to the Graph API or the Bot API.
type Call struct {
	Seq  int64     `json:"seq"`
	Time time.Time `json:"time"`
	Chat
	// Method is the Bot API's method, or for the Graph API messages, read,
	// media, download.
	Method  string          `json:"method"`
	Request json.RawMessage `json:"request,omitempty"`
	// Status is what was answered; 0 when the connection was dropped instead.
	Status   int             `json:"status"`
	Response json.RawMessage `json:"response,omitempty"`
	// Message is the id of the message that the call put on the phone.
	Message string `json:"message,omitempty"`
	// Fault names the ordered fault that the call ran into.
	Fault string `json:"fault,omitempty"`
}

// Delivery is one attempt to deliver a webhook.
type Delivery struct {
	Seq  int64     `json:"seq"`
	Time time.Time `json:"time"`
	Chat
	// Event is the message id, status or update that the webhook carries.
	Event   string `json:"event,omitempty"`
	Attempt int    `json:"attempt"`
	// Status is the HTTP status; 0 when there was no answer.
	Status   int      `json:"status"`
	Error    string   `json:"error,omitempty"`
	Duration Duration `json:"duration"`
	Accepted bool     `json:"accepted"`
}

// EventType says what happened on the phone.
type EventType string

// Event types. Clients ignore those they do not know.
const (
	EventMessage EventType = "message" // a new message
	EventUpdate  EventType = "update"  // its text, buttons or state changed
	EventTyping  EventType = "typing"  // the business is composing
	EventDraft   EventType = "draft"   // a streamed answer as far as it got
	EventNotice  EventType = "notice"  // the reply to a button press
)

// Event is one line of GET /simulator/v1/events.
type Event struct {
	Seq  int64     `json:"seq"`
	Type EventType `json:"type"`
	Time time.Time `json:"time"`
	Chat
	Message *Message `json:"message,omitempty"`
	// Until ends a typing indicator or a draft.
	Until time.Time `json:"until,omitzero"`
	// Draft is a streamed answer; absent once it is gone.
	Draft *Draft `json:"draft,omitempty"`
	// Text is that of a draft or notice.
	Text string `json:"text,omitempty"`
	// Alert says that the notice is a dialog.
	Alert bool `json:"alert,omitempty"`
}

// Duration is a time.Duration that reads and writes as "1.5s" in JSON.
type Duration time.Duration

// MarshalText writes the duration as time.Duration does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// Settings can be changed while the simulator runs: PATCH /simulator/v1/settings.
type Settings struct {
	// RetryScale stretches or compresses the delays between webhook retries; 1
	// is like the real ones.
	RetryScale float64 `json:"retry_scale"`
	// Delays before a WhatsApp message's statuses, each counted from the one
	// before.
	SentDelay      Duration `json:"sent_delay"`
	DeliveredDelay Duration `json:"delivered_delay"`
	ReadDelay      Duration `json:"read_delay"`
}
