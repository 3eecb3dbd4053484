package conversation

import "strings"

// Feedback is what a customer thought of an answer.
type Feedback int16

// What they may think.
const (
	Disliked Feedback = -1
	Unrated  Feedback = 0
	Liked    Feedback = 1
)

// FeedbackOf returns what a reaction says of an answer. Most emoji say nothing that is sure, and none is a reaction taken away.
func FeedbackOf(emoji string) Feedback {
	switch plainEmoji(emoji) {
	case "👍", "👏", "👌", "❤", "🧡", "💛", "💚", "💙", "💜", "🥰", "😍", "🤩", "💯", "🎉", "🙏", "🙌":
		return Liked
	case "👎", "😡", "😠", "🤬", "🤮", "💩", "😤", "🖕":
		return Disliked
	default:
		return Unrated
	}
}

// plainEmoji takes the colour of skin and the sign for a coloured picture off.
func plainEmoji(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\ufe0f' || r >= 0x1f3fb && r <= 0x1f3ff {
			return -1
		}
		return r
	}, s)
}

// Opinion is feedback on its way to rag.
type Opinion struct {
	Message       MessageID
	Request       RequestID
	KnowledgeBase string
	// Documents are those that the answer cites.
	Documents []string
	Feedback  Feedback
}
