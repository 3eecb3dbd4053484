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
	// Phone is the number that a Telegram user shares when asked; made up when
	// empty.
	Phone string `json:"phone,omitempty"`
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
	// Group is set for a group.
	Group *Group `json:"group,omitempty"`
	// Moved is the chat's new user or group id, once it has one.
	Moved string `json:"moved,omitempty"`
	// Draft is a streamed answer that nobody sent yet.
	Draft *Draft `json:"draft,omitempty"`
	// Keyboard is Telegram's reply keyboard, shown until it is removed.
	Keyboard [][]Button `json:"keyboard,omitempty"`
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
	// Request is what pressing it shares: contact or location.
	Request string `json:"request,omitempty"`
}

// Draft is an answer as far as it is written; the phone shows it until then.
type Draft struct {
	ID    int64     `json:"id"`
	Text  string    `json:"text"`
	Until time.Time `json:"until"`
	// Stoppable says that the customer may press Stop.
	Stoppable bool `json:"stoppable,omitempty"`
}

// Author is who wrote a message that is not the chat's own customer's.
type Author struct {
	ID       string `json:"id,omitempty"`
	Name     string `json:"name,omitempty"`
	Username string `json:"username,omitempty"`
	Language string `json:"language,omitempty"`
	// Staff says that it is one of the company's people.
	Staff bool `json:"staff,omitempty"`
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
	Menu string `json:"menu,omitempty"`
	// Keyboard is the reply keyboard that came with a Telegram message.
	Keyboard [][]Button `json:"keyboard,omitempty"`
	Media    *Media     `json:"media,omitempty"`
	// Content is what a message says that is neither text nor file, as sent.
	Content json.RawMessage `json:"content,omitempty"`
	// Detail is the same in words: a place, a contact, an order …
	Detail string `json:"detail,omitempty"`
	// Author is set where the chat's customer did not write it.
	Author    *Author `json:"author,omitempty"`
	ReplyTo   string  `json:"reply_to,omitempty"`
	Quote     string  `json:"quote,omitempty"`
	Album     string  `json:"album,omitempty"`
	Thread    int64   `json:"thread,omitempty"`
	Forwarded bool    `json:"forwarded,omitempty"`
	// Reactions are the business's, Reaction is the customer's.
	Reactions []string  `json:"reactions,omitempty"`
	Reaction  string    `json:"reaction,omitempty"`
	Deleted   bool      `json:"deleted,omitempty"`
	State     State     `json:"state"`
	Error     string    `json:"error,omitempty"`
	Time      time.Time `json:"time"`
	EditTime  time.Time `json:"edit_time,omitzero"`
	// Request is the body with which an outgoing message was sent.
	Request json.RawMessage `json:"request,omitempty"`
}
