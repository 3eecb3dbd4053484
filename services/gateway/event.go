// Package gateway holds the words of KnoBot's public edge: what a webhook says, which integrations it may speak for,
// and why it is refused. It knows no provider, no wire format and no transport; those live in internal/.
package gateway

import "time"

// Platform is a messaging platform.
type Platform uint8

// The platforms.
const (
	WhatsApp Platform = iota + 1
	Telegram
)

// String returns the platform's name in lower case, as logs and metrics show it.
func (p Platform) String() string {
	switch p {
	case WhatsApp:
		return "whatsapp"
	case Telegram:
		return "telegram"
	default:
		return "unknown"
	}
}

// IntegrationID names one WhatsApp number or Telegram bot of the company.
type IntegrationID string

// Event is one thing that a webhook reported.
type Event struct {
	// Key is the provider's unique name of this event within its integration, at most 256 bytes.
	Key string
	// Integration is whose event it is; empty when ForeignNumber is set.
	Integration IntegrationID
	// Kind is the provider's word for it, for logs.
	Kind string
	// OccurTime is by the provider's clock; zero when it was absent or cannot be right.
	OccurTime time.Time
	// ForeignNumber is the phone number id that the body was not entitled to speak for.
	ForeignNumber string
	// Content is what happened; nil for an event that is only recorded.
	Content Content
}

// Content is what happened: a *Message, *ButtonPress, *DeliveryReport or *IdentityChange.
type Content interface{ content() }

func (*Message) content()        {}
func (*ButtonPress) content()    {}
func (*DeliveryReport) content() {}
func (*IdentityChange) content() {}

// Sender is who wrote, in the provider's terms. Names are labels and identify nobody.
type Sender struct {
	// UserID is WhatsApp's business-scoped user id, or Telegram's from.id in decimal.
	UserID string
	// PhoneNumber is a WhatsApp number in digits as received.
	PhoneNumber  string
	Username     string
	DisplayName  string
	LanguageCode string
	Bot          bool
}

// Address is where an answer goes: a WhatsAppUser or a TelegramChat.
type Address interface{ address() }

// WhatsAppUser names a customer by the ids that Meta gave; at least one is set.
type WhatsAppUser struct {
	UserID      string
	PhoneNumber string
}

// TelegramChat names a chat, or a topic or business connection in it.
type TelegramChat struct {
	ID                   int64
	ThreadID             int64
	BusinessConnectionID string
}

func (WhatsAppUser) address() {}
func (TelegramChat) address() {}

// MessageKind is what somebody sent.
type MessageKind uint8

// The kinds of message.
const (
	KindText MessageKind = iota + 1
	KindImage
	KindVideo
	KindAudio
	KindVoice
	KindDocument
	KindSticker
	KindLocation
	KindContacts
	KindReaction
	KindButtonReply
	KindFormReply
	KindOrder
	KindCommand
	KindEdit
	KindDeletion
	KindSystem
	KindUnsupported
)

// Message is a message that reached the company.
type Message struct {
	ID      string
	Sender  Sender
	Address Address
	Kind    MessageKind
	// Text is the body, caption, title or emoji; at most 1 MiB.
	Text string
	// Group says that it was written where others read along.
	Group bool
	// Addressed says that the bot is meant: always in private, in groups when mentioned, replied to or commanded.
	Addressed bool
	// Echo says that the company's own staff wrote it on another device.
	Echo              bool
	ReplyToMessageID  string
	QuotedText        string
	OriginalMessageID string
	ButtonID          string
	Command           string
	AlbumID           string
	Forwarded         bool
	Media             *Media
	Location          *Location
	Contacts          []ContactCard
	Referral          *Referral
	OrderItems        []OrderItem
}

// Media refers to a file at the provider.
type Media struct {
	ID        string
	MIMEType  string
	SHA256    string
	Filename  string
	SizeBytes int64
}

// Location is a place on earth.
type Location struct {
	Latitude, Longitude float64
	Name, Address       string
}

// ContactCard is a shared contact.
type ContactCard struct {
	DisplayName  string
	PhoneNumbers []string
}

// Referral is the advert or product that a customer came from.
type Referral struct {
	Headline, Body, SourceURL, SourceID string
}

// OrderItem is a line of an order, price and currency as stated.
type OrderItem struct {
	ProductID       string
	Quantity        int64
	Price, Currency string
}

// ButtonPress is a press on a Telegram inline button.
type ButtonPress struct {
	CallbackID string
	Sender     Sender
	// Address is nil when the provider does not say in which chat the button stands.
	Address  Address
	ButtonID string
	// MessageID is empty when the message is no longer accessible.
	MessageID string
	Group     bool
	// Title is the label that the customer saw, empty when it did not come along.
	Title string
}

// DeliveryState is how far a message of ours came.
type DeliveryState uint8

// The delivery states.
const (
	StateSent DeliveryState = iota + 1
	StateDelivered
	StateRead
	StatePlayed
	StateFailed
)

// DeliveryReport is what the provider says of a message that we sent.
type DeliveryReport struct {
	MessageID       string
	State           DeliveryState
	Echo            string
	ErrorCode       int32
	ErrorMessage    string
	PricingCategory string
	// PricingModel and PricingType are Meta's words for how it is priced.
	PricingModel, PricingType string
	Billable                  bool
}

// IdentityChangeKind is what changed.
type IdentityChangeKind uint8

// The identity changes.
const (
	ChangePhoneNumber IdentityChangeKind = iota + 1
	ChangeUserID
	ChangeBlocked
	ChangeUnblocked
	ChangeChatMigrated
)

// IdentityChange is news about a user's ids or reachability.
type IdentityChange struct {
	Kind  IdentityChangeKind
	OldID string
	NewID string
}
