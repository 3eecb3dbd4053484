package simulator

import (
	"encoding/json"
	"time"
)

// Utterance is what a customer says: POST /simulator/v1/messages.
type Utterance struct {
	Platform Platform `json:"platform"`
	// Account is the number or bot; empty means the platform's first one.
	Account string `json:"account,omitempty"`
	// From is the customer: phone digits on WhatsApp, a positive number on
	// Telegram.
	From string `json:"from"`
	Person
	// Kind is text unless said otherwise. image, audio, voice, video, document
	// and sticker need Media; any other kind sends Body as it stands.
	Kind    string          `json:"kind,omitempty"`
	Text    string          `json:"text,omitempty"`
	Media   string          `json:"media,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
	ReplyTo string          `json:"reply_to,omitempty"`
	// Time is the provider's timestamp; now when zero.
	Time time.Time `json:"time,omitzero"`
	// Copies is how often the webhook is delivered; once when zero.
	Copies int `json:"copies,omitempty"`
}

// Chat returns the chat in which the utterance happens.
func (u Utterance) Chat() Chat {
	return Chat{Platform: u.Platform, Account: u.Account, User: u.From}
}

// Press is a customer pressing a button: POST /simulator/v1/presses.
type Press struct {
	Chat
	// Message is the id of the message that carries the button.
	Message string `json:"message"`
	// Data is the button's data (Telegram) or id (WhatsApp).
	Data   string `json:"data"`
	Copies int    `json:"copies,omitempty"`
}

// Phone is what the customer does with the chat: PATCH …/chats/{…}. Absent
// members stay as they are.
type Phone struct {
	Open    *bool `json:"phone_open,omitempty"`
	Blocked *bool `json:"blocked,omitempty"`
}

// Signature says how a raw webhook is signed.
type Signature string

// Signatures. The zero value signs properly.
const (
	SignatureValid   Signature = ""
	SignatureMissing Signature = "missing"
	SignatureWrong   Signature = "wrong"
)

// Raw is a payload that is delivered as it stands: POST /simulator/v1/raw.
type Raw struct {
	Platform  Platform        `json:"platform"`
	Account   string          `json:"account,omitempty"`
	Payload   json.RawMessage `json:"payload,omitempty"`
	Bytes     []byte          `json:"bytes,omitempty"`
	Signature Signature       `json:"signature,omitempty"`
}

// Answer is what the program under test answered to a raw webhook or to the
// verification handshake.
type Answer struct {
	Status int    `json:"status"`
	Body   string `json:"body,omitempty"`
	// Accepted says whether the provider would be content with it.
	Accepted bool `json:"accepted"`
}
