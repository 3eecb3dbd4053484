package conversation

import (
	"strings"
	"unicode"
)

// MaxContext is how many characters of context an answer gets to see.
const MaxContext = 2000

// Context returns what a message is about beyond its own text: what it quotes, and the advert or product that the customer
// came from. It has no labels, because the language of a label decides that of the answer.
func Context(quoted string, r *Referral) string {
	parts := []string{quoted}
	if r != nil {
		parts = append(parts, r.Headline, r.Body)
		if r.Headline == "" && r.Body == "" && r.SourceURL == "" {
			parts = append(parts, r.SourceID) // a product of the catalogue; an advert's number says nothing
		}
	}
	var lines []string
	for _, p := range parts {
		if p = strings.TrimSpace(printable(p)); p != "" {
			lines = append(lines, p)
		}
	}
	return firstRunes(strings.Join(lines, "\n"), MaxContext)
}

// printable leaves control characters out, but for the end of a line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r):
			return -1
		default:
			return r
		}
	}, s)
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
