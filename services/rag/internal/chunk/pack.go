package chunk

import (
	"strings"
	"unicode/utf8"

	"github.com/knobot/knobot/services/rag/internal/sentence"
)

// atom is the smallest part of a passage: a sentence, a list item or a row of a table.
type atom struct {
	text string
	// join separates it from the atom before: a space within a paragraph, a line break within a list or table, else an
	// empty line.
	join  string
	words int
}

const (
	sameParagraph = " "
	sameList      = "\n"
	newParagraph  = "\n\n"
)

// newAtoms makes atoms of a block, cutting what is longer than a passage.
func newAtoms(text, join string) []atom {
	var out []atom
	for _, part := range bounded(text) {
		out = append(out, atom{text: part, join: join, words: measure(part)})
		join = sameParagraph
	}
	return out
}

// letters is how many bytes a word is taken to have at least: text without spaces is long too.
const letters = 10

func measure(text string) int { return max(len(strings.Fields(text)), len(text)/letters) }

// paragraph makes an atom of each sentence.
func paragraph(text string) []atom {
	var out []atom
	join := newParagraph
	for _, s := range sentence.Split(text) {
		out = append(out, newAtoms(s, join)...)
		join = sameParagraph
	}
	return out
}

// maxWord bounds a run of characters without white space; longer ones are cut, so that a passage stays small.
const maxWord = 300

// bounded cuts a text into parts of at most passageWords words of at most maxWord bytes.
func bounded(text string) []string {
	words := strings.Fields(text)
	if measure(text) <= passageWords {
		return []string{text}
	}
	var out, part []string
	size := 0
	for _, word := range words {
		for _, piece := range cutWord(word) {
			if len(part) == passageWords || size > letters*passageWords-maxWord {
				out, part, size = append(out, strings.Join(part, " ")), nil, 0
			}
			part, size = append(part, piece), size+len(piece)
		}
	}
	return append(out, strings.Join(part, " "))
}

func cutWord(word string) []string {
	var out []string
	for len(word) > maxWord {
		cut := maxWord
		for !utf8.RuneStart(word[cut]) {
			cut--
		}
		out, word = append(out, word[:cut]), word[cut:]
	}
	return append(out, word)
}

// pack fills passages with atoms; each begins with up to overlapWords of the one before.
func pack(atoms []atom) []string {
	var out []string
	start, words := 0, 0
	for i, a := range atoms {
		if i > start && words+a.words > passageWords {
			out = append(out, render(atoms[start:i]))
			start, words = overlap(atoms, start, i, a.words)
		}
		words += a.words
	}
	if start < len(atoms) {
		out = append(out, render(atoms[start:]))
	}
	return out
}

// overlap returns where the passage that begins before atom end takes up, and how many words that brings.
func overlap(atoms []atom, start, end, next int) (from, words int) {
	from = end
	for from-1 > start {
		w := words + atoms[from-1].words
		if w > overlapWords || w+next > passageWords {
			break
		}
		from, words = from-1, w
	}
	return from, words
}

func render(atoms []atom) string {
	var out strings.Builder
	for i, a := range atoms {
		if i > 0 {
			out.WriteString(a.join)
		}
		out.WriteString(a.text)
	}
	return out.String()
}
