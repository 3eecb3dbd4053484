package conversation

import (
	"slices"
	"time"
)

// Typed ids, both UUIDs in text form.
type (
	// SubscriptionID names a subscription.
	SubscriptionID string
	// NoticeID names something that a subscription is told.
	NoticeID string
)

// NoticeType is what subscribers are told.
type NoticeType string

// The types.
const (
	// NoticeReceived tells that a customer wrote.
	NoticeReceived NoticeType = "message.received"
	// NoticeAnswered tells that an answer of ours or of staff went out.
	NoticeAnswered NoticeType = "message.answered"
	// NoticeFailed tells that a message will not be answered, or that an answer did not reach the customer.
	NoticeFailed NoticeType = "message.failed"
	// NoticeHandedOver tells that staff took a conversation over, or that the customer asked for a person.
	NoticeHandedOver NoticeType = "conversation.handed_over"
)

// NoticeTypes lists them all.
func NoticeTypes() []NoticeType {
	return []NoticeType{NoticeReceived, NoticeAnswered, NoticeFailed, NoticeHandedOver}
}

// Known reports whether there is such a type.
func (t NoticeType) Known() bool { return slices.Contains(NoticeTypes(), t) }

// Limits of what subscribers are told.
const (
	// MaxSubscriptions is how many there may be.
	MaxSubscriptions = 100
	// MaxNoticeTries is how many failed tries make a notice dead.
	MaxNoticeTries = 10
	// MaxSubscriptionURL is how long an address may be.
	MaxSubscriptionURL = 2048
	// MaxToldText is how many characters of a text are told.
	MaxToldText = 8000
	// FormerSecretLife is how long notices are signed with the secret before, too.
	FormerSecretLife = 24 * time.Hour

	maxNoticePause = 4 * time.Hour
)

// NoticeBackoff returns how long to wait after the nth failed try, from 1: 5 s, 20 s, 80 s … up to 4 h, which makes about 14 h
// until the last, and up to a fifth less, so that what failed together does not come back together.
func NoticeBackoff(failure int) time.Duration {
	d := maxNoticePause
	if failure < 8 {
		d = min(d, 5*time.Second<<(2*max(failure-1, 0)))
	}
	return d - Jitter(d/5)
}

// Subscription is a program of the company that is told what happens.
type Subscription struct {
	ID    SubscriptionID
	URL   string
	Types []NoticeType
	// Integration is empty for all.
	Integration IntegrationID
	Enabled     bool
	// DisabledCause is why we disabled it.
	DisabledCause          string
	CreateTime, UpdateTime time.Time
}

// SubscriptionChange is what is changed in a subscription; nil leaves it as it is.
type SubscriptionChange struct {
	URL         *string
	Types       *[]NoticeType
	Integration *IntegrationID
	Enabled     *bool
}

// NoticeState is how far a notice came.
type NoticeState string

// The states.
const (
	NoticePending   NoticeState = "pending"
	NoticeDelivered NoticeState = "delivered"
	NoticeDead      NoticeState = "dead"
)

// Notice is something that a subscription is told.
type Notice struct {
	ID           NoticeID
	Subscription SubscriptionID
	Type         NoticeType
	Conversation ID
	// Message is empty where it is about none.
	Message    MessageID
	State      NoticeState
	Failures   int
	Status     int
	Error      string
	CreateTime time.Time
	// DueTime is when it is tried next, FinishTime when it was delivered or given up; nil for neither.
	DueTime, FinishTime *time.Time
}

// NoticeFilter chooses notices of a subscription.
type NoticeFilter struct {
	Subscription SubscriptionID
	DeadOnly     bool
	Limit        int
	After        *Cursor
}

// Telling is a notice in the hands of who delivers it, with all that is told.
type Telling struct {
	Notice
	// Token fences it: what comes with an old one stores nothing.
	Token string
	// URL, Secret and FormerSecret are the subscription's; the secrets are sealed. FormerSecret is nil once its time is over.
	URL                  string
	Secret, FormerSecret []byte
	// Gone says that what it is about was erased: there is nothing to tell.
	Gone        bool
	Integration IntegrationID
	Platform    Platform
	User        UserID
	// About is the message, zero where it is about none.
	About Message
	// Cause, Staff and Reason are those of a hand-over.
	Cause, Staff, Reason string
}

// NoticeFailure is what became of a try that failed.
type NoticeFailure struct {
	Status int
	// Reason is a stable word.
	Reason string
	// Delay is when it is tried again; Dead says that it is not.
	Delay time.Duration
	Dead  bool
	// Gone says that the subscriber wants no more: the subscription is disabled.
	Gone bool
}

// SubscriptionLoad is how many notices of a subscription are in a process's hands.
type SubscriptionLoad struct {
	Subscription SubscriptionID
	Held         int
}

// SealedSecret is a stored secret of a subscription.
type SealedSecret struct {
	Subscription SubscriptionID
	Sealed       []byte
}
