package whatsapp

import (
	"cmp"
	"strings"

	"github.com/knobot/knobot/services/channels"
)

const product = "whatsapp"

// message is the body of a send.
type message struct {
	Product       string       `json:"messaging_product"`
	RecipientType string       `json:"recipient_type"`
	To            string       `json:"to,omitempty"`
	Recipient     string       `json:"recipient,omitempty"`
	Type          string       `json:"type"`
	Context       *reference   `json:"context,omitempty"`
	Text          *text        `json:"text,omitempty"`
	Template      *template    `json:"template,omitempty"`
	Interactive   *interactive `json:"interactive,omitempty"`
	Reaction      *reaction    `json:"reaction,omitempty"`
	attached
	Echo string `json:"biz_opaque_callback_data,omitempty"`
}

// reaction without an emoji takes the earlier one away, so that an empty one is sent too.
type reaction struct {
	MessageID string `json:"message_id"`
	Emoji     string `json:"emoji"`
}

// reference quotes a message.
type reference struct {
	MessageID string `json:"message_id"`
}

// text leaves out preview_url: Meta's default is no preview.
type text struct {
	Body string `json:"body"`
}

// readMark has neither recipient nor type.
type readMark struct {
	Product   string           `json:"messaging_product"`
	Status    string           `json:"status"`
	MessageID string           `json:"message_id"`
	Typing    *typingIndicator `json:"typing_indicator,omitempty"`
}

type typingIndicator struct {
	Type string `json:"type"`
}

// newMessage builds the body of a send. place makes Meta know a file.
func newMessage(r channels.SendRequest, place placer) (message, error) {
	m := message{Product: product, RecipientType: "individual", Echo: r.Echo}
	if err := m.address(r.Address.WhatsApp); err != nil {
		return message{}, err
	}
	if r.ReplyTo != "" {
		m.Context = &reference{MessageID: r.ReplyTo}
	}
	if r.Template != nil {
		var err error
		m.Type = "template"
		m.Template, err = newTemplate(*r.Template, place)
		return m, err
	}
	return m, m.fill(r.Part, place)
}

// fill puts a part into the message.
func (m *message) fill(p channels.Part, place placer) error {
	buttons := flat(p.Buttons)
	var err error
	switch {
	case p.Reaction != nil:
		m.Type, m.Reaction = "reaction", &reaction{MessageID: p.Reaction.MessageID, Emoji: p.Reaction.Emoji}
	case p.List != nil:
		m.Type, m.Interactive = interactiveType, newList(p.Text, *p.List)
	case p.ContactRequest != nil:
		m.Type, m.Interactive = interactiveType, &interactive{
			Type: contactRequest, Body: body{Text: p.Text}, Action: action{Name: contactRequest},
		}
	case len(buttons) > 0:
		m.Type = interactiveType
		m.Interactive, err = newButtons(p, buttons, place)
	case p.Media != nil:
		m.Type, m.attached, err = attach(*p.Media, p.Text, place)
	default:
		m.Type, m.Text = "text", &text{Body: p.Text}
	}
	return err
}

// address sets the recipient. A phone number needs its "+": Meta puts our own country code before a number without one, and
// a stranger gets the message. A business-scoped user id goes into "recipient" instead; if both were sent, "to" would win.
// The phone is preferred: some kinds of message cannot go to a user id (code 131062). A "phone" that is none is taken for
// a user id, because some payloads carry one in its place.
func (m *message) address(u *channels.WhatsAppUser) error {
	if u == nil || u.Phone == "" && u.UserID == "" {
		return &channels.SendError{Class: channels.ClassInvalid, Message: "no WhatsApp recipient"}
	}
	switch digits := strings.TrimPrefix(u.Phone, "+"); {
	case digits == "":
		m.Recipient = u.UserID
	case strings.Trim(digits, "0123456789") == "":
		m.To = "+" + digits
	default:
		m.Recipient = cmp.Or(u.UserID, u.Phone)
	}
	return nil
}
