package analysis

import (
	"strings"
	"unicode"
)

// names returns the folded words that a question writes like names: with a capital letter, and not because a sentence
// starts there or because all is in capitals.
func names(text string) map[string]struct{} {
	if !strings.ContainsFunc(text, unicode.IsLower) {
		return nil
	}
	var out map[string]struct{}
	starts, inWord := true, false
	for i, r := range text {
		switch {
		case isWord(r):
			if !inWord && !starts && unicode.IsUpper(r) {
				if out == nil {
					out = map[string]struct{}{}
				}
				out[fold(wordAt(text, i))] = struct{}{}
			}
			inWord, starts = true, false
		case strings.ContainsRune(".!?¿¡:;\n\"«“(", r):
			inWord, starts = false, true
		default:
			inWord = false
		}
	}
	return out
}

func wordAt(text string, i int) string {
	rest := text[i:]
	if end := strings.IndexFunc(rest, func(r rune) bool { return !isWord(r) }); end >= 0 {
		return rest[:end]
	}
	return rest
}
