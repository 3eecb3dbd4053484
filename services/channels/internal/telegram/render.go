package telegram

import (
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/markup"
)

// Render makes the messages of a content. Buttons, the choices of a list and the button that asks for the phone number come
// under the last one; the text of a file is its caption, and what is too long for one follows.
func Render(c channels.Content) []channels.Part {
	switch {
	case c.Reaction != nil:
		return []channels.Part{{Attachment: c.Attachment}}
	case c.Media != nil:
		return renderFile(c)
	}
	parts := markup.Telegram(c.Markdown)
	if len(parts) == 0 {
		return nil
	}
	last := &parts[len(parts)-1]
	last.Buttons, last.ContactRequest = c.Buttons, c.ContactRequest
	if c.List != nil {
		last.Buttons = choices(*c.List)
	}
	return parts
}

func renderFile(c channels.Content) []channels.Part {
	parts := markup.Telegram(c.Markdown, markup.AsCaption())
	if len(parts) == 0 {
		if len(c.Buttons) > 0 {
			return nil // as on WhatsApp, where buttons need a text
		}
		parts = []channels.Part{{}}
	}
	parts[0].Attachment = c.Attachment
	parts[len(parts)-1].Buttons = c.Buttons
	return parts
}

// choices is one button a row; they have no second line.
func choices(l channels.List) [][]channels.Button {
	var rows [][]channels.Button
	for _, s := range l.Sections {
		for _, r := range s.Rows {
			rows = append(rows, []channels.Button{{ID: r.ID, Title: r.Title}})
		}
	}
	return rows
}
