package delivery_test

import (
	"strings"

	"github.com/knobot/knobot/services/channels"
)

// lines renders one message for each line, with the attachment in the first.
func lines(c channels.Content) []channels.Part {
	var parts []channels.Part
	for line := range strings.SplitSeq(c.Markdown, "\n") {
		parts = append(parts, channels.Part{Text: line, Plain: line})
	}
	parts[0].Attachment = c.Attachment
	parts[len(parts)-1].Buttons = c.Buttons
	return parts
}

func classify(code int) channels.Class {
	switch code {
	case 131047:
		return channels.ClassWindowClosed
	case 131042:
		return channels.ClassStopIntegration
	default:
		return channels.ClassDropRecipient
	}
}
