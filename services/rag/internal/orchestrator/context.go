package orchestrator

import (
	"strings"
	"unicode"

	rag "github.com/knobot/knobot/services/rag"
)

// maxContext bounds what open turns are about beyond themselves, in characters.
const maxContext = 2_000

// contextOf joins the contexts of turns, each once, as plain text.
func contextOf(turns []rag.Turn) string {
	seen := map[string]bool{}
	var parts []string
	for _, turn := range turns {
		text := strings.TrimSpace(strings.Map(plain, turn.Context))
		if text != "" && !seen[text] {
			seen[text] = true
			parts = append(parts, text)
		}
	}
	return clip(strings.Join(parts, "\n"), maxContext)
}

// plain leaves out the control characters, but for the end of a line.
func plain(r rune) rune {
	if unicode.IsControl(r) && r != '\n' {
		return -1
	}
	return r
}

// aboutWhat is the text together with which a question that cannot stand alone is understood: what it quotes or came from,
// else the question before it.
func (d dialogue) aboutWhat() string {
	if d.context != "" {
		return clip(d.context, maxBefore)
	}
	return lastQuestion(d.history)
}

// leans tells whether the question says by itself that it is about something else: it goes on from it, or points to what it
// quotes.
func (d dialogue) leans() bool {
	return continues(d.question) || (d.context != "" && points(d.question))
}

// points tells whether a text points to something ("¿cuánto cuesta este?").
func points(text string) bool {
	for _, word := range strings.FieldsFunc(strings.ToLower(clip(text, 200)), func(r rune) bool { return !unicode.IsLetter(r) }) {
		switch word {
		case "este", "esta", "esto", "estos", "estas", "ese", "esa", "eso", "esos", "esas", "aquel", "aquella", "this", "that", "these",
			"those", "it", "isto", "isso", "esse", "essa", "esses", "essas", "aquele", "aquela":
			return true
		}
	}
	return false
}
