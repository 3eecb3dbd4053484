package channels

import "time"

// Quota is a limit that a message counts against: one every so often, and a burst of them at once after a rest.
type Quota struct {
	// Recipient is whom it protects, empty for all of an integration together.
	Recipient string
	// Name tells the quotas of one recipient apart.
	Name  string
	Every time.Duration
	Burst int
}

// Slack is by how much a message may come before its turn.
func (q Quota) Slack() time.Duration { return time.Duration(max(q.Burst, 1)-1) * q.Every }

// PlaceRequest asks for a place under several quotas at once: under all or under none.
type PlaceRequest struct {
	IntegrationID string
	Quotas        []Quota
	// PausedFor are whose pauses count: recipients, empty for the integration's.
	PausedFor []string
	// Patience is how far ahead a place may be among those of the whole integration.
	Patience time.Duration
	// Now is for tests; zero for the database's clock.
	Now time.Time
}

// Place is when a message may go out.
type Place struct {
	// Taken says that the place is ours. Else nothing was taken.
	Taken bool
	// Wait is how long to wait for the place, or until it is worth asking again.
	Wait time.Duration
}
