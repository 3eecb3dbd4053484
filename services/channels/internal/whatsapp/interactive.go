package whatsapp

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/markup"
)

// Limits of interactive messages (Cloud API, "Interactive reply buttons messages" and "Interactive list messages", read
// 2026-11-23). Lengths are counted in UTF-16 code units, see package markup.
const (
	maxButtons     = 3
	maxButtonTitle = 20
	maxRows        = 10
	maxRowTitle    = 24
)

const interactiveType = "interactive"

// contactRequest names both the message that asks for the phone number and its action. The answer's contact has the origin
// "contact_request", which is no type of a message (whatsapp-api-js 6.3.0 and the docs of two providers that pass bodies on
// to Meta, Kapso and Gupshup, read 2026-11-26).
const contactRequest = "request_contact_info"

// openList is the label of the button that opens a list. It is Spanish, as the product is, because a send does not say in
// which language the conversation is.
const openList = "Ver opciones"

type interactive struct {
	Type   string  `json:"type"`
	Header *header `json:"header,omitempty"`
	Body   body    `json:"body"`
	Action action  `json:"action"`
}

// header is a file over the text.
type header struct {
	Type string `json:"type"`
	attached
}

type body struct {
	Text string `json:"text"`
}

type action struct {
	Name     string    `json:"name,omitempty"`
	Buttons  []button  `json:"buttons,omitempty"`
	Button   string    `json:"button,omitempty"`
	Sections []section `json:"sections,omitempty"`
}

type button struct {
	Type  string `json:"type"`
	Reply choice `json:"reply"`
}

type section struct {
	Title string   `json:"title,omitempty"`
	Rows  []choice `json:"rows"`
}

// choice is a button's or a row's id and title; only a row has a description.
type choice struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

// numbered is an ordered list in CommonMark.
func numbered(buttons []channels.Button) string {
	var b strings.Builder
	escape := strings.NewReplacer("\\", "\\\\", "*", "\\*", "_", "\\_", "`", "\\`", "~", "\\~", "[", "\\[", "<", "\\<", "&", "\\&", "\n", " ")
	for i, button := range buttons {
		b.WriteString(strconv.Itoa(i+1) + ". " + escape.Replace(button.Title) + "\n")
	}
	return b.String()
}

// flat puts all rows in one: WhatsApp has no rows of buttons.
func flat(rows [][]channels.Button) []channels.Button {
	var out []channels.Button
	for _, row := range rows {
		out = append(out, row...)
	}
	return out
}

// newButtons shows up to three buttons as such, a file above them as their header; up to ten as a list.
func newButtons(p channels.Part, buttons []channels.Button, place placer) (*interactive, error) {
	switch {
	case len(buttons) <= maxButtons:
		return newReplyButtons(p, buttons, place)
	case len(buttons) <= maxRows && p.Media == nil:
		return &interactive{Type: "list", Body: body{Text: p.Text}, Action: action{
			Button: openList, Sections: []section{{Rows: choices(buttons, maxRowTitle)}},
		}}, nil
	default:
		return nil, &channels.SendError{Class: channels.ClassInvalid, Message: "so many buttons do not fit under a WhatsApp message"}
	}
}

func newReplyButtons(p channels.Part, buttons []channels.Button, place placer) (*interactive, error) {
	out := &interactive{Type: "button", Body: body{Text: p.Text}}
	for _, c := range choices(buttons, maxButtonTitle) {
		out.Action.Buttons = append(out.Action.Buttons, button{Type: "reply", Reply: c})
	}
	if p.Media == nil {
		return out, nil
	}
	kind, file, err := attach(*p.Media, "", place)
	out.Header = &header{Type: kind, attached: file}
	return out, err
}

// newList shows a list as it is: the RPC has checked its limits.
func newList(text string, l channels.List) *interactive {
	out := &interactive{Type: "list", Body: body{Text: text}, Action: action{Button: cmp.Or(l.ButtonTitle, openList)}}
	for _, s := range l.Sections {
		rows := make([]choice, len(s.Rows))
		for i, r := range s.Rows {
			rows[i] = choice(r)
		}
		out.Action.Sections = append(out.Action.Sections, section{Title: s.Title, Rows: rows})
	}
	return out
}

func choices(buttons []channels.Button, maxTitle int) []choice {
	out := make([]choice, len(buttons))
	for i, b := range buttons {
		out[i] = choice{ID: b.ID, Title: markup.Shorten(b.Title, maxTitle)}
	}
	return out
}
