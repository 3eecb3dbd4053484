package delivery_test

import (
	"strings"

	"github.com/knobot/knobot/services/channels"
)

func lines(markdown string, buttons [][]channels.Button) []channels.Part {
	var parts []channels.Part
	for line := range strings.SplitSeq(markdown, "\n") {
		parts = append(parts, channels.Part{Text: line, Plain: line})
	}
	parts[len(parts)-1].Buttons = buttons
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
