package analysis

import (
	"strings"
	"unicode"

	"github.com/kljensen/snowball/spanish"
	"golang.org/x/text/unicode/norm"
)

const (
	combiningTilde = '\u0303'
	// maxWord bounds one word, in characters: longer runs are no words, but ids or attacks.
	maxWord = 40
	// pieceLength is the number of letters of a piece: 4 measured best on questions with typing errors.
	pieceLength = 4
	// PieceMark begins every piece, so that none ever equals a stem.
	PieceMark = "§"
)

// fold lower-cases and takes accents off, but keeps ñ: año and ano are different words. Compatibility forms (full width,
// ligatures, mathematical letters) become the plain ones.
func fold(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	var last rune
	flush := func() {
		if last != 0 {
			out.WriteRune(last)
		}
	}
	for _, r := range norm.NFKD.String(strings.ToLower(text)) {
		switch {
		case r == combiningTilde && last == 'n':
			last = 'ñ'
		case unicode.Is(unicode.Mn, r):
		default:
			flush()
			last = unicode.ToLower(r)
		}
	}
	flush()
	return out.String()
}

// words splits a folded text into runs of letters and digits. A separator of thousands does not split ("180.000" is
// "180000"), and a code written with a hyphen is also found without it ("qf-45": qf, 45, qf45).
func words(text string) []string {
	runes := []rune(stripLinks(text))
	var out []string
	for i := 0; i < len(runes); {
		if !isWord(runes[i]) {
			i++
			continue
		}
		word, next := scanWord(runes, i)
		out = append(out, measured(word)...)
		if joined, ok := code(runes, i, next); ok {
			out = append(out, joined)
		}
		i = next
	}
	return out
}

// stripLinks removes the targets of Markdown links: "[here](https://…)" says "here".
func stripLinks(text string) string {
	if !strings.Contains(text, "](") {
		return text
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "](")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		_, after, closed := strings.Cut(rest, ")")
		if !closed {
			out.WriteByte(' ')
			out.WriteString(rest)
			return out.String()
		}
		out.WriteByte(' ')
		text = after
	}
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// scanWord reads the word that starts at i and returns the index behind it.
func scanWord(runes []rune, i int) (word string, next int) {
	var kept []rune
	for i < len(runes) {
		switch {
		case isWord(runes[i]):
			if len(kept) < maxWord {
				kept = append(kept, runes[i])
			}
		case !isThousands(runes, i):
			return string(kept), i
		}
		i++
	}
	return string(kept), i
}

// isThousands tells whether the point or comma at i stands between a digit and exactly three more.
func isThousands(runes []rune, i int) bool {
	if (runes[i] != '.' && runes[i] != ',') || i == 0 || i+3 >= len(runes) || !unicode.IsDigit(runes[i-1]) {
		return false
	}
	for _, r := range runes[i+1 : i+4] {
		if !unicode.IsDigit(r) {
			return false
		}
	}
	return i+4 == len(runes) || !isWord(runes[i+4])
}

// code joins letters and a number that a hyphen separates: words start..end, then "-", then digits.
func code(runes []rune, start, end int) (string, bool) {
	if end+1 >= len(runes) || runes[end] != '-' || !unicode.IsLetter(runes[end-1]) || !unicode.IsDigit(runes[end+1]) {
		return "", false
	}
	number, _ := scanWord(runes, end+1)
	if end-start+len(number) > maxWord {
		return "", false
	}
	return string(runes[start:end]) + number, true
}

// stem cuts a folded word's ending. Snowball's list has some endings with the accent only (-ación, -ución, -logía), which
// folding took away, so that "devolución" and "devoluciones" would part: they get it back first.
func stem(word string) string {
	for _, ending := range []struct{ folded, accented string }{
		{"acion", "ación"}, {"ucion", "ución"}, {"logia", "logía"},
	} {
		if base, ok := strings.CutSuffix(word, ending.folded); ok {
			word = base + ending.accented
			break
		}
	}
	return unbroken(verb(singular(fold(spanish.Stem(word, true)))))
}

// unbroken undoes the vowel change of stems under stress, so that "cuesta" meets "costo", "devuelvo" "devolver" and "cierran"
// "cerrar": ue becomes o and ie becomes e after a consonant, but not in que, gue, quie, guie, where the u is mute.
func unbroken(stem string) string {
	for i := 1; i+1 < len(stem); i++ {
		pair := stem[i : i+2]
		if (pair != "ue" && pair != "ie") || strings.IndexByte("aeiouqg", stem[i-1]) >= 0 || i+2 == len(stem) {
			continue
		}
		if pair == "ue" {
			return stem[:i] + "o" + stem[i+2:]
		}
		return stem[:i] + "e" + stem[i+2:]
	}
	return stem
}

// shortVerb is the length at which Snowball leaves the endings of short verbs alone ("abren", "abrim" of "abrimos", "abrir").
const shortVerb = 5

// verb takes the ending off a short verb.
func verb(stem string) string {
	if len(stem) != shortVerb {
		return stem
	}
	switch stem[3:] {
	case "en", "an", "im", "em", "am", "ar", "er", "ir":
		return stem[:3]
	}
	return stem
}

// singular takes the s off short words that Snowball leaves alone ("años", but not "gas").
func singular(stem string) string {
	if n := len(stem); n >= 4 && stem[n-1] == 's' && strings.IndexByte("aeiou", stem[n-2]) >= 0 {
		return stem[:n-1]
	}
	return stem
}

// appendPieces adds a word's pieces of four letters, its borders marked by "_".
func appendPieces(out []string, word string) []string {
	runes := []rune("_" + word + "_")
	if len(runes) <= pieceLength {
		return append(out, PieceMark+string(runes))
	}
	for i := 0; i+pieceLength <= len(runes); i++ {
		out = append(out, PieceMark+string(runes[i:i+pieceLength]))
	}
	return out
}
