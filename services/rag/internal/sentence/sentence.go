// Package sentence cuts text into sentences, in Spanish, English and Portuguese, minding abbreviations.
package sentence

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Split returns the sentences of a text, without the white space around them. A line break always ends a sentence: in
// passages a line is a paragraph, a list item or a row of a table.
func Split(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		out = append(out, splitLine(strings.TrimSpace(line))...)
	}
	return out
}

func splitLine(line string) []string {
	var out []string
	start := 0
	for i := 0; i < len(line); {
		r, size := utf8.DecodeRuneInString(line[i:])
		i += size
		if !isEnd(r) {
			continue
		}
		end := afterClosers(line, i)
		if end < len(line) && !isBoundary(line[start:i], line[end:]) {
			continue
		}
		out = appendTrimmed(out, line[start:end])
		start, i = end, end
	}
	return appendTrimmed(out, line[start:])
}

func appendTrimmed(out []string, s string) []string {
	if s = strings.TrimSpace(s); s != "" {
		out = append(out, s)
	}
	return out
}

func isEnd(r rune) bool { return r == '.' || r == '!' || r == '?' || r == '…' }

// afterClosers returns the index behind further end marks, closing quotes, brackets and emphasis.
func afterClosers(line string, i int) int {
	for i < len(line) {
		r, size := utf8.DecodeRuneInString(line[i:])
		if !isEnd(r) && !strings.ContainsRune("\"'”’»)]*_", r) {
			return i
		}
		i += size
	}
	return i
}

// isBoundary tells whether a sentence ends between before, which closes with an end mark, and after.
func isBoundary(before, after string) bool {
	next := strings.TrimLeft(after, " \t\u00a0")
	if len(next) == len(after) {
		return false // no white space: a decimal point, an address, "¿?!"
	}
	first, _ := utf8.DecodeRuneInString(next)
	if unicode.IsLower(first) {
		return false
	}
	if !strings.HasSuffix(before, ".") {
		return true
	}
	last := lastWord(strings.TrimSuffix(before, "."))
	if last == "m" { // "a. m." and "p. m." may end a sentence, other single letters are initials
		return true
	}
	return !isAbbreviation(last) && (utf8.RuneCountInString(last) != 1 || unicode.IsDigit(rune(last[0])))
}

func lastWord(s string) string {
	i := strings.LastIndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if i < 0 {
		return strings.ToLower(s)
	}
	_, size := utf8.DecodeRuneInString(s[i:])
	return strings.ToLower(s[i+size:])
}

// isAbbreviation knows the abbreviations that stand before a capital or a number.
func isAbbreviation(word string) bool {
	switch word {
	case "sr", "sra", "srta", "sres", "dr", "dra", "ing", "lic", "prof", "ud", "uds", "vd", "no", "nro", "núm", "num",
		"art", "av", "avda", "cra", "cl", "cll", "dpto", "apto", "of", "pág", "págs", "tel", "tels", "ext", "ej", "vs",
		"mr", "mrs", "ms", "st", "inc", "ltd", "ee", "dto", "aprox", "máx", "mín", "ref", "fig", "sto", "sta":
		return true
	}
	return false
}
