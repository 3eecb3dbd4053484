package chunk

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// visible keeps what a reader of the document sees: composed characters, one kind of line break, nothing that hides in
// the text (control, zero-width, bidirectional and tag characters).
func visible(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n\n").Replace(text)
	return norm.NFC.String(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\u00a0':
			return ' '
		case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, text))
}
