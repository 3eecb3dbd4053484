package chunk

import (
	"regexp"
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

// chatTokens are the marks by which chat templates part messages. No document needs them, and what follows one on its line
// was written for a machine.
var chatTokens = regexp.MustCompile(`(?i)<\|[^|<>\n]{0,40}\|>[^\n]*|\[INST\].*?(?:\[/INST\]|$)|\[/INST\]|<<SYS>>.*?(?:<</SYS>>|$)|<</SYS>>`)

// images cannot be shown in an answer; following their addresses would tell a stranger who asked what.
var images = regexp.MustCompile(`!\[([^\]\n]*)\]\([^)\n]*\)`)

// plainSpoken takes chat tokens and images out of a passage or a title.
func plainSpoken(text string) string {
	if strings.Contains(text, "![") {
		text = images.ReplaceAllString(text, "$1")
	}
	return strings.TrimSpace(chatTokens.ReplaceAllString(text, ""))
}
