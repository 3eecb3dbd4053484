package simulator

import (
	"encoding/json"
	"time"
)

// Utterance is what a customer says or does in a chat: POST /simulator/v1/messages.
type Utterance struct {
	Platform Platform `json:"platform"`
	// Account is the number or bot; empty means the platform's first one.
	Account string `json:"account,omitempty"`
	// From is the customer: phone digits or a business-scoped user id on
	// WhatsApp, a positive number on Telegram.
	From string `json:"from"`
	Person
	// Kind is text unless said otherwise. image, audio, voice, video, document,
	// sticker (on Telegram also animation and video_note) need Media; reaction,
	// edit and revoke need Target; contact without Body shares the customer's own
	// number; the README lists the rest. Any other kind sends Body as it stands.
	Kind    string          `json:"kind,omitempty"`
	Text    string          `json:"text,omitempty"`
	Media   string          `json:"media,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
	ReplyTo string          `json:"reply_to,omitempty"`
	// Quote is the part of the message in ReplyTo that is quoted (Telegram).
	Quote string `json:"quote,omitempty"`
	// Target is the message that a reaction, edit or deletion is about, or the
	// new id of a group that migrates.
	Target string `json:"target,omitempty"`
	// Emoji is that of a reaction; empty takes it away.
	Emoji string `json:"emoji,omitempty"`
	// Album joins several Telegram messages of the same value.
	Album     string `json:"album,omitempty"`
	Forwarded bool   `json:"forwarded,omitempty"`
	// Extra adds members to the message as they stand, such as a referral.
	Extra json.RawMessage `json:"extra,omitempty"`
	// Group is where it is said, on Telegram; a private chat when absent.
	Group *Group `json:"group,omitempty"`
	// Business is the id of the connection by which a Telegram bot reads the
	// chats of its owner.
	Business string `json:"business,omitempty"`
	// Staff says that the company's own people wrote it in this customer's chat,
	// with the phone or, in a business chat, as its owner.
	Staff bool `json:"staff,omitempty"`
	// Time is the provider's timestamp; now when zero.
	Time time.Time `json:"time,omitzero"`
	// Copies is how often the webhook is delivered; once when zero.
	Copies int `json:"copies,omitempty"`
}

// Chat returns the chat in which the utterance happens.
func (u Utterance) Chat() Chat {
	chat := Chat{Platform: u.Platform, Account: u.Account, User: u.From}
	if u.Business != "" {
		chat.User = u.Business + ":" + u.From
	}
	if u.Group != nil {
		chat.User = u.Group.ID
	}
	return chat
}

// Group is a Telegram group. Ids below -1000000000000 are supergroups.
type Group struct {
	ID    string `json:"id"`
	Title string `json:"title,omitempty"`
	// Thread is a topic; it makes the group a forum.
	Thread int64 `json:"thread,omitempty"`
}

// Move is a WhatsApp customer who gets another number, and with it another
// user id: POST /simulator/v1/moves.
type Move struct {
	Chat
	// Phone is the new number; it stays as it is when empty.
	Phone string `json:"phone,omitempty"`
	// UserID is the new business-scoped id; made up when empty.
	UserID string `json:"user_id,omitempty"`
	// Notices are the webhooks that tell of it: number and user_id (system
	// messages) and field (user_id_update). All that apply when empty.
	Notices []string `json:"notices,omitempty"`
}

// Connection is a Telegram Business account that a bot answers for:
// POST /simulator/v1/connections. The bot is told of it and of every change.
type Connection struct {
	// Account is the bot; the first one when empty.
	Account string `json:"account,omitempty"`
	ID      string `json:"id"`
	// Owner is the Telegram user whose chats the bot answers.
	Owner string `json:"owner"`
	Name  string `json:"name,omitempty"`
	// Disabled says that the owner ended it.
	Disabled bool `json:"disabled,omitempty"`
	// ReadOnly takes away the right to answer.
	ReadOnly bool `json:"read_only,omitempty"`
}

// Press is a customer pressing a button: POST /simulator/v1/presses.
type Press struct {
	Chat
	// Message is the id of the message that carries the button.
	Message string `json:"message"`
	// Data is the button's data (Telegram) or id (WhatsApp), or the caption of a
	// button of Telegram's reply keyboard.
	Data string `json:"data"`
	// From is who presses in a group; somebody who wrote there when empty.
	From   string `json:"from,omitempty"`
	Copies int    `json:"copies,omitempty"`
}

// Phone is what the customer does with the chat: PATCH …/chats/{…}. Absent
// members stay as they are.
type Phone struct {
	Open    *bool `json:"phone_open,omitempty"`
	Blocked *bool `json:"blocked,omitempty"`
	// HidePhone hides or shows the WhatsApp number in webhooks from now on.
	HidePhone *bool `json:"hide_phone,omitempty"`
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
