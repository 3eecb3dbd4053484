package reader

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// writePages writes the lines of a PDF's pages as paragraphs. What stands on most pages at the top or the foot, and numbers
// of pages, are left out; a word parted at a line's end is joined, and a sentence that goes on over the page too.
func writePages(pages []string, out *markdown) {
	furniture := repeated(pages)
	var open []byte
	flush := func() {
		lines(out, string(open))
		open = open[:0]
	}
	for _, page := range pages {
		all := pageLines(page)
		for i, line := range all {
			if line != "" && isFurniture(furniture, line, i, len(all)) {
				continue
			}
			if line == "" || isItem(line) || len(open) > maxParagraph || ended(open) && startsAnew(line) {
				flush()
			}
			open = join(open, line)
		}
		if ended(open) {
			flush()
		}
	}
	flush()
}

// maxParagraph is where lines that never end a sentence are parted, in bytes.
const maxParagraph = 8 << 10

func isFurniture(known map[string]struct{}, line string, i, count int) bool {
	if i >= edge && i < count-edge {
		return false
	}
	_, ok := known[shape(line)]
	return ok || pageNumber.MatchString(line) && (i == 0 || i == count-1)
}

// hyphens are what PDFium puts for a hyphen that parts a word at a line's end, besides the hyphen itself.
const hyphens = "\u0002\ufffe\u00ad"

// join appends a line to a paragraph.
func join(text []byte, line string) []byte {
	if len(text) == 0 {
		return append(text, line...)
	}
	next, _ := utf8.DecodeRuneInString(line)
	head := bytes.TrimRight(text, hyphens+"-")
	before, _ := utf8.DecodeLastRune(head)
	if len(head) < len(text) && unicode.IsLower(next) && unicode.IsLetter(before) {
		return append(head, line...)
	}
	return append(append(text, ' '), line...)
}

// edge is how many lines at the top and the foot of a page may be furniture.
const edge = 2

var (
	digits     = regexp.MustCompile(`\d+`)
	pageNumber = regexp.MustCompile(`(?i)^(?:p[aá]g(?:ina|\.)?|page)?\s*\d{1,4}\s*(?:(?:/|de|of)\s*\d{1,4})?$`)
	item       = regexp.MustCompile(`^(?:[-*•·–▪◦]|\d{1,3}[.)])\s`)
)

// repeated returns the shapes of lines that stand at the edges of more than half of at least three pages.
func repeated(pages []string) map[string]struct{} {
	counts := map[string]int{}
	for _, page := range pages {
		all := pageLines(page)
		seen := map[string]struct{}{}
		for i, line := range all {
			if line == "" || i >= edge && i < len(all)-edge {
				continue
			}
			seen[shape(line)] = struct{}{}
		}
		for s := range seen {
			counts[s]++
		}
	}
	out := map[string]struct{}{}
	for s, n := range counts {
		if len(pages) >= 3 && n > len(pages)/2 {
			out[s] = struct{}{}
		}
	}
	return out
}

// shape is a line without its numbers, so that "Page 3 of 9" is one with "Page 4 of 9".
func shape(line string) string { return digits.ReplaceAllString(line, "#") }

// pageLines returns the lines of a page, trimmed, without empty ones at its ends.
func pageLines(page string) []string {
	lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(page, "\r\n", "\n"), "\r", "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func isItem(line string) bool { return item.MatchString(line) }

// ended tells whether a paragraph may be over: it ends like a sentence.
func ended(text []byte) bool {
	last, _ := utf8.DecodeLastRune(bytes.TrimRight(text, "\"»”)"))
	return strings.ContainsRune(".!?:;", last)
}

// startsAnew tells whether a line begins like a sentence.
func startsAnew(line string) bool {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(line, "\"«“(¿¡"))
	return unicode.IsUpper(first) || unicode.IsDigit(first)
}
