package whatsapp

import (
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

// openList is the label of the button that opens a list. It is Spanish, as the product is, because a send does not say in
// which language the conversation is.
const openList = "Ver opciones"

type interactive struct {
	Type   string `json:"type"`
	Body   body   `json:"body"`
	Action action `json:"action"`
}

type body struct {
	Text string `json:"text"`
}

type action struct {
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

// choice is a button's or a row's id and title.
type choice struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// Render makes the messages of a CommonMark text. Up to 10 buttons come under the last one, which is kept short enough for
// them; more become a numbered list at the end of the text, because WhatsApp has no way to show them.
func Render(markdown string, rows [][]channels.Button) []channels.Part {
	buttons := flat(rows)
	if len(buttons) > maxRows {
		return markup.WhatsApp(markdown+"\n\n"+numbered(buttons), false)
	}
	parts := markup.WhatsApp(markdown, len(buttons) > 0)
	if len(parts) > 0 && len(buttons) > 0 {
		parts[len(parts)-1].Buttons = rows
	}
	return parts
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

// newInteractive shows up to three buttons as such, up to ten as a list.
func newInteractive(text string, buttons []channels.Button) (*interactive, error) {
	switch {
	case len(buttons) <= maxButtons:
		out := &interactive{Type: "button", Body: body{Text: text}}
		for _, c := range choices(buttons, maxButtonTitle) {
			out.Action.Buttons = append(out.Action.Buttons, button{Type: "reply", Reply: c})
		}
		return out, nil
	case len(buttons) <= maxRows:
		return &interactive{Type: "list", Body: body{Text: text}, Action: action{
			Button: openList, Sections: []section{{Rows: choices(buttons, maxRowTitle)}},
		}}, nil
	default:
		return nil, &channels.SendError{Class: channels.ClassInvalid, Message: "more than 10 buttons do not fit under a WhatsApp message"}
	}
}

func choices(buttons []channels.Button, maxTitle int) []choice {
	out := make([]choice, len(buttons))
	for i, b := range buttons {
		out[i] = choice{ID: b.ID, Title: markup.Shorten(b.Title, maxTitle)}
	}
	return out
}
