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
	Echo          string       `json:"biz_opaque_callback_data,omitempty"`
}

// reference quotes a message.
type reference struct {
	MessageID string `json:"message_id"`
}

// text leaves out preview_url: Meta's default is no preview.
type text struct {
	Body string `json:"body"`
}

type template struct {
	Name       string      `json:"name"`
	Language   language    `json:"language"`
	Components []component `json:"components,omitempty"`
}

type language struct {
	Code string `json:"code"`
}

type component struct {
	Type       string      `json:"type"`
	Parameters []parameter `json:"parameters"`
}

type parameter struct {
	Type string `json:"type"`
	Text string `json:"text"`
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

// newMessage builds the body of a send.
func newMessage(r channels.SendRequest) (message, error) {
	m := message{Product: product, RecipientType: "individual", Echo: r.Echo}
	if err := m.address(r.Address.WhatsApp); err != nil {
		return message{}, err
	}
	if r.ReplyTo != "" {
		m.Context = &reference{MessageID: r.ReplyTo}
	}
	if r.Template != nil {
		m.Type, m.Template = "template", newTemplate(*r.Template)
		return m, nil
	}
	buttons := flat(r.Part.Buttons)
	if len(buttons) == 0 {
		m.Type, m.Text = "text", &text{Body: r.Part.Text}
		return m, nil
	}
	var err error
	m.Type = "interactive"
	m.Interactive, err = newInteractive(r.Part.Text, buttons)
	return m, err
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

func newTemplate(t channels.Template) *template {
	out := &template{Name: t.Name, Language: language{Code: t.Language}}
	if len(t.BodyParameters) == 0 {
		return out
	}
	body := component{Type: "body"}
	for _, p := range t.BodyParameters {
		body.Parameters = append(body.Parameters, parameter{Type: "text", Text: p})
	}
	out.Components = []component{body}
	return out
}
