// Package simulator holds the vocabulary of the simulator: what a simulated
// phone shows (chats and messages), what a customer can do on it, which calls
// the program under test made, and which faults can be ordered. The HTTP API
// under /simulator/v1 speaks exactly these types as JSON.
//
// The package imports the standard library only, so that the simulator's
// inside, its Go client and tests elsewhere can share it.
package simulator

import (
	"encoding/json"
	"time"
)

// Platform is the messenger that is imitated.
type Platform string

// The two platforms.
const (
	WhatsApp Platform = "whatsapp"
	Telegram Platform = "telegram"
)

// Chat names one conversation: an account of the business (a WhatsApp
// phone_number_id or a Telegram bot id) and a customer (phone digits, a
// business-scoped user id, or a Telegram user id).
type Chat struct {
	Platform Platform `json:"platform"`
	Account  string   `json:"account"`
	User     string   `json:"user"`
}

// Person is what a platform knows about a customer.
type Person struct {
	Name     string `json:"name,omitempty"`
	Username string `json:"username,omitempty"`
	Language string `json:"language,omitempty"`
	// UserID is WhatsApp's business-scoped user id (BSUID).
	UserID string `json:"user_id,omitempty"`
	// HidePhone leaves the phone number out of webhooks, as WhatsApp does since
	// April 2026 for users who chose a username.
	HidePhone bool `json:"hide_phone,omitempty"`
}

// ChatInfo is a chat with what is known about it.
type ChatInfo struct {
	Chat
	Person
	// PhoneOpen says that the customer is looking at the chat, so that what
	// arrives is read at once.
	PhoneOpen bool `json:"phone_open"`
	// Blocked says that the customer has blocked the business.
	Blocked bool `json:"blocked,omitempty"`
	// TypingUntil is the end of the typing indicator that the business shows.
	TypingUntil time.Time `json:"typing_until,omitzero"`
	// LastInbound is the time of the customer's last message; it opens
	// WhatsApp's 24-hour window.
	LastInbound time.Time `json:"last_inbound,omitzero"`
	LastActive  time.Time `json:"last_active,omitzero"`
	Messages    int       `json:"messages"`
}

// Direction says who wrote a message.
type Direction string

// Directions, seen from the business.
const (
	Inbound  Direction = "in"
	Outbound Direction = "out"
)

// Media describes a file of a message.
type Media struct {
	ID       string `json:"id,omitempty"`
	Link     string `json:"link,omitempty"`
	MIMEType string `json:"mime_type,omitempty"`
	Filename string `json:"filename,omitempty"`
	SHA256   string `json:"sha256,omitempty"`
	Size     int64  `json:"size,omitempty"`
}

// Button is something to press under a message, or a row of a list.
type Button struct {
	Text        string `json:"text"`
	Data        string `json:"data,omitempty"`
	URL         string `json:"url,omitempty"`
	Description string `json:"description,omitempty"`
}

// Entity is a formatted stretch of a Telegram text; offset and length count
// UTF-16 code units, as the Bot API does.
type Entity struct {
	Type     string `json:"type"`
	Offset   int    `json:"offset"`
	Length   int    `json:"length"`
	URL      string `json:"url,omitempty"`
	Language string `json:"language,omitempty"`
}

// Message is one message of a chat, in either direction.
type Message struct {
	// Seq numbers messages of all chats in the order of their arrival.
	Seq int64  `json:"seq"`
	ID  string `json:"id"`
	Chat
	Direction Direction  `json:"direction"`
	Kind      string     `json:"kind"`
	Text      string     `json:"text,omitempty"`
	Entities  []Entity   `json:"entities,omitempty"`
	Buttons   [][]Button `json:"buttons,omitempty"`
	// Menu is the caption of the button that opens a WhatsApp list.
	Menu      string    `json:"menu,omitempty"`
	Media     *Media    `json:"media,omitempty"`
	ReplyTo   string    `json:"reply_to,omitempty"`
	Reactions []string  `json:"reactions,omitempty"`
	State     State     `json:"state"`
	Error     string    `json:"error,omitempty"`
	Time      time.Time `json:"time"`
	EditTime  time.Time `json:"edit_time,omitzero"`
	// Request is the body with which an outgoing message was sent.
	Request json.RawMessage `json:"request,omitempty"`
}
