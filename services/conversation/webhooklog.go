package conversation

import "time"

// WebhookLog is one delivery and what became of it, over all its events.
type WebhookLog struct {
	ID             LogID
	Platform       Platform
	EventType      string
	ResponseStatus int32
	// Response sums the outcomes up.
	Response      string
	ErrorMessage  string
	RemoteAddress string
	DuplicateOf   LogID
	CreateTime    time.Time
	// ProcessedTime is zero while an event is unfinished.
	ProcessedTime time.Time
	// Payload and Events are left out of lists.
	Payload []byte
	Events  []LoggedEvent
}

// LoggedEvent is one event of a delivery.
type LoggedEvent struct {
	Ordinal       int32
	Integration   IntegrationID
	Kind          string
	Message       MessageID
	Outcome       Outcome
	Error         string
	Response      string
	ProcessedTime time.Time
}

// PlatformCount is how many deliveries a platform made.
type PlatformCount struct {
	Platform        Platform
	Total, Rejected int64
}

// Cursor is a place in a list that is ordered by time and id, or by position.
type Cursor struct {
	Time     time.Time
	ID       string
	Position int64
}

// OutcomeCount is how many events came to the same.
type OutcomeCount struct {
	Platform    Platform
	Integration IntegrationID
	Outcome     Outcome
	Total       int64
}

// TimeRange is from one time on until before another; zero for no bound.
type TimeRange struct{ From, Until time.Time }

// LogFilter chooses deliveries. What is empty chooses all.
type LogFilter struct {
	Platform    Platform
	Integration IntegrationID
	// EventType is the kind of the first event.
	EventType string
	// Outcome is that of an event, of one of the integration where there is one.
	Outcome Outcome
	Range   TimeRange
	Limit   int
	// After is where the page before ended, nil for the first.
	After *Cursor
}

// UserFilter chooses users.
type UserFilter struct {
	Integration IntegrationID
	Platform    Platform
	Limit       int
	After       *Cursor
}

// Filter chooses conversations.
type Filter struct {
	Integration IntegrationID
	User        UserID
	// Closed is nil for both.
	Closed     *bool
	PausedOnly bool
	Limit      int
	After      *Cursor
}
