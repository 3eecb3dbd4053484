// Package conversation holds the words of the service that keeps the dialogue with a company's customers: what a webhook
// reported, who wrote, what is to be answered, and the mailbox of conversations that wait for an answer. It decides and
// stores nothing itself; storage, peers and transport live in internal/.
package conversation

import "time"

// Typed ids. All but IntegrationID are UUIDs in text form.
type (
	// ID names a conversation.
	ID string
	// UserID names a customer.
	UserID string
	// MessageID names a message of a conversation, ours or the customer's.
	MessageID string
	// LogID names a delivery of a webhook.
	LogID string
	// RequestID names a send: the same id again never sends twice.
	RequestID string
	// IntegrationID names one of the company's WhatsApp numbers or Telegram bots, in the words of channels.
	IntegrationID string
)

// Platform is a messaging platform.
type Platform string

// The platforms.
const (
	WhatsApp Platform = "whatsapp"
	Telegram Platform = "telegram"
)

// Platforms lists them all.
func Platforms() []Platform { return []Platform{WhatsApp, Telegram} }

// Defaults of the mission.
const (
	// DefaultPassages is how many context passages an answer rests on.
	DefaultPassages = 5
	// DefaultLanguage is the language of our own sentences.
	DefaultLanguage = "es"
	// RoleCustomer is the role of every user that a webhook makes.
	RoleCustomer = "customer"
)

// Conversation is a dialogue with one user or in one chat.
type Conversation struct {
	ID          ID
	Integration IntegrationID
	// User opened it; empty in a chat whose opener the platform hides.
	User UserID
	// Closed says that the next message opens another one.
	Closed bool
	// Platform, PlatformUserID and CreatedVia are the mission's metadata.
	Platform        Platform
	PlatformUserID  string
	CreatedVia      string
	RAGEnabled      bool
	Passages        int32
	CreateTime      time.Time
	LastMessageTime time.Time
	// BotPausedUntil is until when the bot keeps silent because staff have the word; nil where it is not paused.
	BotPausedUntil *time.Time
	// PauseCause is why, PausedBy and PauseReason what who took over said.
	PauseCause            PauseCause
	PausedBy, PauseReason string
	// LastOutcome is how its last question was met, in rag's words.
	LastOutcome string
	// InputTokens, OutputTokens and CostMicros are what models read, wrote and cost for its answers; the cost is in millionths of
	// the currency that rag's prices are set in.
	InputTokens, OutputTokens, CostMicros int64
}

// Metadata returns the three entries that the mission names.
func (c Conversation) Metadata() map[string]string {
	return map[string]string{
		"platform":         string(c.Platform),
		"platform_user_id": c.PlatformUserID,
		"created_via":      c.CreatedVia,
	}
}

// Role is who wrote a message.
type Role string

// The roles.
const (
	Customer  Role = "customer"
	Assistant Role = "assistant"
	Staff     Role = "staff"
)

// MessageState is how far a message came.
type MessageState string

// The states: the first four are a customer's, the others ours. A held message is both: the answer waits, and so does what
// it answers.
const (
	MessageOpen     MessageState = "open"
	MessageAnswered MessageState = "answered"
	MessageRecorded MessageState = "recorded"
	MessageDead     MessageState = "dead"
	MessageSending  MessageState = "sending"
	MessageSent     MessageState = "sent"
	MessageHeld     MessageState = "held"
	MessageFailed   MessageState = "failed"
)

// Message is one message of a conversation.
type Message struct {
	ID                MessageID
	Position          int64
	Role              Role
	Kind              MessageKind
	Text              string
	State             MessageState
	PlatformMessageID string
	CreateTime        time.Time
	DeliveryState     DeliveryState
	MaybeDuplicate    bool
	// ReplyToMessageID is the provider's id of the message that it replies to, Quoted that message's text as far as known.
	ReplyToMessageID string
	Quoted           string
	// Error says why a message of ours could not be sent.
	Error string
	// Media is the file that came with it, nil without one.
	Media *Attachment
	// Transcript is what was heard in it.
	Transcript string
	// Basis is how an answer came about, nil where nobody was asked.
	Basis *Basis
	// Feedback is what the customer thought of it.
	Feedback Feedback
}
