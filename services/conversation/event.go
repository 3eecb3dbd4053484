package conversation

import "time"

// Event is one thing that a webhook reported.
type Event struct {
	// Key is the provider's unique name of it within its integration: the same key again is a repeat.
	Key         string
	Integration IntegrationID
	// Kind is the provider's word for it, for logs.
	Kind string
	// OccurTime is by the provider's clock, zero when not said.
	OccurTime time.Time
	// ForeignNumber is set when the body was not entitled to speak for this phone_number_id: recorded, then dropped.
	ForeignNumber string
	// Content is what happened; nil for an event that is only recorded.
	Content Content
}

// Content is what happened: an *InboundMessage, *ButtonPress, *DeliveryReport or *IdentityChange.
type Content interface{ content() }

func (*InboundMessage) content() {}
func (*ButtonPress) content()    {}
func (*DeliveryReport) content() {}
func (*IdentityChange) content() {}

// Sender is who wrote, in the provider's terms. Names are labels and identify nobody.
type Sender struct {
	// UserID is WhatsApp's business-scoped user id (BSUID) or Telegram's from.id.
	UserID string
	// PhoneNumber is a WhatsApp number in digits as received, empty when Meta does not show it.
	PhoneNumber  string
	Username     string
	DisplayName  string
	LanguageCode string
	Bot          bool
}

// Address is where an answer goes: Chat for Telegram, else the WhatsApp user.
type Address struct {
	UserID      string
	PhoneNumber string
	// Chat is set for Telegram.
	Chat *Chat
}

// ShowsDrafts reports whether the chat can show an answer while it is written: private Telegram chats with the bot itself
// (Bot API 10.1, sendMessageDraft).
func (a Address) ShowsDrafts() bool {
	return a.Chat != nil && a.Chat.ID > 0 && a.Chat.BusinessConnectionID == ""
}

// Chat names a Telegram chat, or a topic or business connection in it.
type Chat struct {
	ID                   int64
	ThreadID             int64
	BusinessConnectionID string
}

// MessageKind is what a customer sent.
type MessageKind string

// The kinds of message. An empty kind is treated as unsupported.
const (
	KindText        MessageKind = "text"
	KindImage       MessageKind = "image"
	KindVideo       MessageKind = "video"
	KindAudio       MessageKind = "audio"
	KindVoice       MessageKind = "voice"
	KindDocument    MessageKind = "document"
	KindSticker     MessageKind = "sticker"
	KindLocation    MessageKind = "location"
	KindContacts    MessageKind = "contacts"
	KindReaction    MessageKind = "reaction"
	KindButtonReply MessageKind = "button_reply"
	KindFormReply   MessageKind = "form_reply"
	KindOrder       MessageKind = "order"
	KindCommand     MessageKind = "command"
	KindEdit        MessageKind = "edit"
	KindDeletion    MessageKind = "deletion"
	KindSystem      MessageKind = "system"
	KindUnsupported MessageKind = "unsupported"
)

// InboundMessage is a message that reached the company.
type InboundMessage struct {
	MessageID string
	Sender    Sender
	// Address is where an answer goes.
	Address Address
	Kind    MessageKind
	// Text is the body, caption, title or emoji.
	Text string
	// Group says that others read along: its history never mixes with a private chat's.
	Group bool
	// Addressed says that the bot is meant: always in private, in a group when mentioned, replied to or commanded.
	Addressed bool
	// Echo says that the company's own staff wrote it on another device.
	Echo              bool
	ReplyToMessageID  string
	QuotedText        string
	OriginalMessageID string
	ButtonID          string
	Command           string
	AlbumID           string
	Location          *Location
	Contacts          []ContactCard
	Media             *Media
	Forwarded         bool
	Referral          *Referral
	OrderItems        []OrderItem
}

// Location is a place on earth.
type Location struct {
	Latitude, Longitude float64
	Name, Address       string
}

// Referral is the advert or product that a customer came from.
type Referral struct {
	Headline  string `json:"headline,omitempty"`
	Body      string `json:"body,omitempty"`
	SourceURL string `json:"source_url,omitempty"`
	SourceID  string `json:"source_id,omitempty"`
}

// OrderItem is a line of an order, price and currency as stated.
type OrderItem struct {
	ProductID string `json:"product_id,omitempty"`
	Quantity  int64  `json:"quantity,omitempty"`
	Price     string `json:"price,omitempty"`
	Currency  string `json:"currency,omitempty"`
}

// ContactCard is a shared contact.
type ContactCard struct {
	DisplayName  string
	PhoneNumbers []string
}

// Media refers to a file at the provider.
type Media struct {
	ID        string `json:"id,omitempty"`
	MIMEType  string `json:"mime_type,omitempty"`
	SHA256    string `json:"sha256,omitempty"`
	Filename  string `json:"filename,omitempty"`
	SizeBytes int64  `json:"size_bytes,omitempty"`
}

// ButtonPress is a press on a Telegram inline button.
type ButtonPress struct {
	CallbackID string
	Sender     Sender
	// Address is nil when the message that holds the button is not accessible.
	Address   *Address
	ButtonID  string
	MessageID string
	Group     bool
	// Title is the label that the customer saw, empty when the platform did not send it along.
	Title string
}

// IdentityChangeKind is what changed about a user or chat.
type IdentityChangeKind int

// The changes.
const (
	PhoneNumberChanged IdentityChangeKind = iota + 1
	UserIDChanged
	Blocked
	Unblocked
	ChatMigrated
)

// IdentityChange is news about a user's ids or reachability.
type IdentityChange struct {
	Kind         IdentityChangeKind
	OldID, NewID string
}

// Outcome is what became of an event.
type Outcome string

// The outcomes. Open and held events are unfinished, the others have a processed time.
const (
	OutcomeOpen     Outcome = "open"
	OutcomeHeld     Outcome = "held"
	OutcomeAnswered Outcome = "answered"
	// OutcomeAnsweredByStaff is of what a person answered before the bot did.
	OutcomeAnsweredByStaff Outcome = "answered_by_staff"
	// OutcomeDeleted is of a question that the customer took back.
	OutcomeDeleted        Outcome = "deleted"
	OutcomeRecorded       Outcome = "recorded"
	OutcomeDuplicate      Outcome = "duplicate"
	OutcomeStale          Outcome = "stale"
	OutcomeIgnored        Outcome = "ignored"
	OutcomeForeignNumber  Outcome = "foreign_number"
	OutcomeUnknownMessage Outcome = "unknown_message"
	OutcomeDead           Outcome = "dead"
	OutcomeFailed         Outcome = "failed"
)

// Outcomes lists them all.
func Outcomes() []Outcome {
	return []Outcome{
		OutcomeOpen, OutcomeHeld, OutcomeAnswered, OutcomeAnsweredByStaff, OutcomeDeleted, OutcomeRecorded, OutcomeDuplicate, OutcomeStale,
		OutcomeIgnored, OutcomeForeignNumber, OutcomeUnknownMessage, OutcomeDead, OutcomeFailed,
	}
}

// Usual reports what becomes of nearly every event.
func (o Outcome) Usual() bool {
	return o == OutcomeOpen || o == OutcomeAnswered || o == OutcomeRecorded || o == OutcomeDuplicate
}

// Finished reports whether nothing more will happen to an event.
func (o Outcome) Finished() bool { return o != OutcomeOpen && o != OutcomeHeld }
