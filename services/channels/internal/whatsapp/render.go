package whatsapp

import (
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/markup"
)

// Render makes the messages of a content, as few as WhatsApp's limits allow. Up to 10 buttons come under the last one, which
// is kept short enough for them; more become a numbered list at the end of the text, because WhatsApp has no way to show
// them. The text of a file is its caption.
func Render(c channels.Content) []channels.Part {
	switch {
	case c.Reaction != nil:
		return []channels.Part{{Attachment: c.Attachment}}
	case c.Media != nil:
		return renderFile(c)
	case c.List != nil || c.ContactRequest != nil:
		parts := markup.WhatsApp(c.Markdown, true)
		if len(parts) > 0 {
			parts[len(parts)-1].Attachment = c.Attachment
		}
		return parts
	default:
		return renderText(c.Markdown, c.Buttons)
	}
}

func renderText(markdown string, rows [][]channels.Button, options ...markup.Option) []channels.Part {
	buttons := flat(rows)
	if len(buttons) > maxRows {
		return markup.WhatsApp(markdown+"\n\n"+numbered(buttons), false, options...)
	}
	parts := markup.WhatsApp(markdown, len(buttons) > 0, options...)
	if len(parts) > 0 && len(buttons) > 0 {
		parts[len(parts)-1].Buttons = rows
	}
	return parts
}

// renderFile puts the text under the file. What cannot have a caption, or stand over as many buttons, goes before the text.
func renderFile(c channels.Content) []channels.Part {
	file := channels.Part{Attachment: c.Attachment}
	inList := len(flat(c.Buttons)) > maxButtons && len(flat(c.Buttons)) <= maxRows
	var texts []channels.Part
	if hasCaption(c.Media.Kind) && !inList {
		texts = renderText(c.Markdown, c.Buttons, markup.AsCaption())
	} else {
		texts = renderText(c.Markdown, c.Buttons, markup.After(1))
	}
	switch {
	case len(texts) == 0 && len(c.Buttons) > 0:
		return nil // no text for the buttons to stand under
	case len(texts) == 0:
		return []channels.Part{file}
	case hasCaption(c.Media.Kind) && !inList:
		texts[0].Attachment = c.Attachment
		return texts
	default:
		return append([]channels.Part{file}, texts...)
	}
}

// hasCaption reports which kinds show a text, and may stand over buttons: a header is a text, an image, a video or a document
// (facebook/openapi of 2025-11, HeaderObject). Audio and stickers show none.
func hasCaption(k channels.MediaKind) bool {
	return k == channels.MediaImage || k == channels.MediaVideo || k == channels.MediaDocument
}
