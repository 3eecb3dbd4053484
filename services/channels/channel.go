// Package channels is the domain of the service that owns the company's WhatsApp numbers and Telegram bots and everything
// that goes out through them. It imports the standard library only: what speaks to Meta, Telegram, PostgreSQL or other
// services lives in the internal packages beside it.
package channels

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Platform is a messaging platform.
type Platform string

// The platforms.
const (
	WhatsApp Platform = "whatsapp"
	Telegram Platform = "telegram"
)

// Address says where a message goes: which integration sends it, and to whom. Exactly one of WhatsApp and Telegram is set.
type Address struct {
	IntegrationID string
	WhatsApp      *WhatsAppUser
	Telegram      *TelegramChat
}

// Platform returns the platform of the recipient, empty without one.
func (a Address) Platform() Platform {
	switch {
	case a.WhatsApp != nil:
		return WhatsApp
	case a.Telegram != nil:
		return Telegram
	default:
		return ""
	}
}

// Recipient names the recipient within its integration, for pacing: one string for one person, chat or topic.
func (a Address) Recipient() string {
	switch {
	case a.Telegram != nil:
		return strconv.FormatInt(a.Telegram.ID, 10)
	case a.WhatsApp != nil && a.WhatsApp.UserID != "":
		return a.WhatsApp.UserID
	case a.WhatsApp != nil:
		return a.WhatsApp.Phone
	default:
		return ""
	}
}

// WhatsAppUser is a customer by the ids that Meta gave; at least one is set.
type WhatsAppUser struct {
	// UserID is the business-scoped user id ("CC." and up to 128 alphanumerics), empty when unknown.
	UserID string
	// Phone is the number in digits as received, without "+", empty when Meta does not show it.
	Phone string
}

// TelegramChat is a chat, or a topic or business connection in it.
type TelegramChat struct {
	// ID is negative for groups.
	ID int64
	// ThreadID is the topic of a forum, 0 for none.
	ThreadID int64
	// BusinessConnectionID is the connection through which the bot speaks, empty for none.
	BusinessConnectionID string
}

// Button is a button under a message; ID comes back when it is pressed.
type Button struct {
	ID    string
	Title string
}

// Part is one message at the provider, rendered for its platform.
type Part struct {
	// Text is WhatsApp markup or Telegram HTML: at most 4096 UTF-16 units, 1024 as the caption of a file or over buttons.
	Text string
	// Plain is the same without markup, for the resend when Telegram "can't parse entities".
	Plain string
	// Buttons stand under the last part only.
	Buttons [][]Button
	// Attachment is a file under the first part, or a list or a request under the last; a reaction has no text.
	Attachment
}

// Template is an approved WhatsApp template with the values for its placeholders. It is stored as JSON by the names of its
// fields, as an Attachment is.
type Template struct {
	Name     string
	Language string
	// BodyParameters are texts for the body's placeholders, in order.
	BodyParameters []string
	// Components are values for all parts, instead of BodyParameters.
	Components []TemplateComponent `json:",omitempty"`
}

// Files returns the stored files that the template's values need.
func (t Template) Files() []*Media {
	var files []*Media
	for _, c := range t.Components {
		for _, p := range c.Parameters {
			if p.Media != nil && p.Media.ID != "" {
				files = append(files, p.Media)
			}
		}
	}
	return files
}

// TemplateComponentType is a part of a template.
type TemplateComponentType string

// The parts of a template.
const (
	TemplateHeader     TemplateComponentType = "header"
	TemplateBody       TemplateComponentType = "body"
	TemplateQuickReply TemplateComponentType = "quick_reply"
	TemplateURL        TemplateComponentType = "url"
	TemplateCopyCode   TemplateComponentType = "copy_code"
)

// Button says that the part is one.
func (t TemplateComponentType) Button() bool { return t != TemplateHeader && t != TemplateBody }

// TemplateComponent gives values to a part of a template.
type TemplateComponent struct {
	Type TemplateComponentType
	// Index is the place of a button, from 0.
	Index      int `json:",omitempty"`
	Parameters []TemplateParameter
}

// TemplateParameter is a value in a template: Media, or Text without one.
type TemplateParameter struct {
	// Name of the placeholder, empty where they are numbered.
	Name  string `json:",omitempty"`
	Text  string `json:",omitempty"`
	Media *Media `json:",omitempty"`
}

// Credentials of one integration, opened just for the call. They print as nothing, so that no log or error shows them.
type Credentials struct {
	// PhoneNumberID and AccessToken are WhatsApp's.
	PhoneNumberID string
	AccessToken   string
	// BotToken is Telegram's.
	BotToken string
}

// Format hides the secrets from every verb.
func (Credentials) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[credentials]") }

// MarshalText hides the secrets from JSON and from loggers.
func (Credentials) MarshalText() ([]byte, error) { return []byte("[credentials]"), nil }

// SendRequest is one call to a provider.
type SendRequest struct {
	Address Address
	// Part is what to send, unless Template is set.
	Part Part
	// Template is sent instead of Part; WhatsApp only.
	Template *Template
	// ReplyTo is the provider's id of the message to quote, empty for none. A quote that no longer exists is left out.
	ReplyTo string
	// Echo is our own correlation string, which WhatsApp sends back in its delivery reports (biz_opaque_callback_data).
	Echo string
}

// Sender hands messages to a provider.
type Sender interface {
	// Send makes one message of the request and returns the provider's id of it, empty where it gives none (a reaction on
	// Telegram). Its error is always a *SendError, whose class says whether the message may have gone out.
	Send(ctx context.Context, c Credentials, r SendRequest) (messageID string, err error)
}

// ReadMarker shows a customer that a message was read: WhatsApp.
type ReadMarker interface {
	// MarkRead marks a received message as read and, with typing, shows "typing …" for 25 s. Errors are *SendError.
	MarkRead(ctx context.Context, c Credentials, messageID string, typing bool) error
}

// TypingIndicator shows a customer that an answer is being written: Telegram, for 5 s.
type TypingIndicator interface {
	// Typing shows it. Errors are *SendError.
	Typing(ctx context.Context, c Credentials, chat TelegramChat) error
}

// Drafter shows a customer an answer while it is written: Telegram, in private chats, for 30 s.
type Drafter interface {
	// ShowDraft shows a part as it stands now, in place of the one shown before under the same id, which is not 0. It is no
	// message: nothing is left of it. Errors are *SendError.
	ShowDraft(ctx context.Context, c Credentials, chat TelegramChat, id int64, p Part) error
}

// ButtonAnswerer ends the waiting state of an inline button: Telegram.
type ButtonAnswerer interface {
	// AnswerButton ends it, with a short notice when text is not empty. A press that Telegram has forgotten is no error.
	// Errors are *SendError.
	AnswerButton(ctx context.Context, c Credentials, callbackID, text string) error
}

// WebhookManager keeps a bot's webhook: Telegram. Errors are *SendError.
type WebhookManager interface {
	// SetWebhook makes Telegram post the updates that KnoBot understands to url, with secret in its header.
	SetWebhook(ctx context.Context, c Credentials, url, secret string) error
	// DeleteWebhook stops the posting.
	DeleteWebhook(ctx context.Context, c Credentials) error
	// WebhookInfo returns what Telegram says of it.
	WebhookInfo(ctx context.Context, c Credentials) (WebhookInfo, error)
	// Me returns the bot whose token this is.
	Me(ctx context.Context, c Credentials) (Bot, error)
}

// WebhookInfo is Telegram's view of a bot's webhook.
type WebhookInfo struct {
	URL                string
	PendingUpdateCount int
	// LastErrorTime is zero without an error.
	LastErrorTime    time.Time
	LastErrorMessage string
	MaxConnections   int
	AllowedUpdates   []string
}

// Bot is a Telegram bot as Telegram knows it.
type Bot struct {
	ID       int64
	Username string
}
