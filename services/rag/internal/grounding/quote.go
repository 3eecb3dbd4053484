package grounding

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// leastQuoted is how many words a quotation needs: a single one stands in every other text.
const leastQuoted = 2

var (
	targets  = regexp.MustCompile(`\]\([^()\s]*\)`)
	ellipses = regexp.MustCompile(`\[?(?:…|\.{3})\]?`)
)

// Quotes reports whether a quotation stands in a text word by word. Case, accents, punctuation, markup and the addresses of
// links do not matter; an ellipsis parts what stands apart.
func Quotes(text, quotation string) bool {
	within, words := wordsOf(text), 0
	for _, piece := range ellipses.Split(quotation, -1) {
		quoted := wordsOf(piece)
		if !strings.Contains(within, quoted) {
			return false
		}
		words += len(strings.Fields(quoted))
	}
	return words >= leastQuoted
}

// wordsOf returns the words of a text with one space around each.
func wordsOf(text string) string {
	text = targets.ReplaceAllString(text, "]")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return ' '
	}, norm.NFKD.String(text))
	return " " + strings.Join(strings.Fields(text), " ") + " "
}
