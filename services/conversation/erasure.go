package conversation

import (
	"context"
	"time"
)

// OutcomeErased is of an event whose customer was erased before it was finished.
const OutcomeErased Outcome = "erased"

// OutcomeExpired is of a question whose answer was held for longer than messages are kept.
const OutcomeExpired Outcome = "expired"

// Erasure is the removal of everything that is kept of a customer.
type Erasure struct {
	User     UserID
	Failures int32
	// Error says why it failed last, a stable word; empty when it goes well.
	Error      string
	CreateTime time.Time
	// DoneTime is nil until nothing is left.
	DoneTime *time.Time
}

// ErasureTask is an erasure held by a worker.
type ErasureTask struct {
	User        UserID
	Integration IntegrationID
	Platform    Platform
	// ExternalIDs and Phones are all that the customer is known by.
	ExternalIDs, Phones []string
	Username            string
	// Addresses says that channels keeps nothing under the customer's addresses any more.
	Addresses bool
	Failures  int
	// Token fences the worker's hold on it.
	Token string
}

// Traces are what other services keep of messages.
type Traces struct {
	Messages []MessageID
	// Requests are sends of ours.
	Requests []RequestID
	// Media are stored files, ProviderMedia the same by the provider's id, stored or not.
	Media         []MediaID
	ProviderMedia []string
}

// Custodian is another service that keeps something of customers. Both may be repeated, and return a *PeerError.
type Custodian interface {
	// ForgetMessages removes what is kept of messages of a customer.
	ForgetMessages(ctx context.Context, e ErasureTask, t Traces) error
	// ForgetCustomer removes what is kept of the customer beside that.
	ForgetCustomer(ctx context.Context, e ErasureTask) error
}

// Needles are what a payload holds at least that has something of the customer in it. Numbers are written in several ways, which
// end alike.
func (e ErasureTask) Needles() []string {
	needles := append([]string{}, e.ExternalIDs...)
	for _, p := range e.Phones {
		needles = append(needles, p[max(len(p)-minPhone, 0):])
	}
	return needles
}

// Subject returns what tells the customer's parts of a payload from others'.
func (e ErasureTask) Subject() Subject {
	s := Subject{IDs: map[string]bool{}, Phones: map[string]bool{}, Messages: map[string]bool{}}
	for _, id := range e.ExternalIDs {
		s.IDs[id] = true
	}
	for _, p := range e.Phones {
		s.Phones[p], s.Phones[PhoneKey(p)] = true, true
	}
	if e.Platform == Telegram && len(e.Username) > len(Telegram)+1 {
		s.Mention = "@" + e.Username[len(Telegram)+1:]
	}
	return s
}
