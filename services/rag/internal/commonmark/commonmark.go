// Package commonmark writes plain text as CommonMark that shows the same characters.
package commonmark

import (
	"regexp"
	"strings"
)

// markup is what CommonMark would take for emphasis, code, links or tags; an underscore within a word is none of these.
var markup = regexp.MustCompile("[\\\\`*\\[\\]<>]|\\b_+\\B|\\B_+\\b")

// Escape makes text within a line.
func Escape(text string) string {
	text = markup.ReplaceAllString(text, `\$0`)
	if strings.HasPrefix(text, "#") {
		return `\` + text
	}
	return text
}

// starts are the beginnings of a line that make it something else than a paragraph.
var starts = regexp.MustCompile(`^(?:[-+=~|:]|(\d{1,9})([.)]))`)

// Line makes a whole paragraph of one line; line breaks become spaces.
func Line(text string) string {
	text = Escape(strings.Join(strings.Fields(text), " "))
	at := starts.FindStringSubmatchIndex(text)
	switch {
	case at == nil:
		return text
	case at[2] >= 0: // a number: its mark is what counts
		return text[:at[3]] + `\` + text[at[3]:]
	}
	return `\` + text
}

// headingMarkup is what a heading cannot hold: headings are shown as they stand.
var headingMarkup = regexp.MustCompile("[\\\\`*\\[\\]<>#]+")

// Heading makes a heading of a level from 1 to 6, or nothing of a text without any characters.
func Heading(level int, text string) string {
	text = strings.Join(strings.Fields(headingMarkup.ReplaceAllString(text, " ")), " ")
	if text == "" {
		return ""
	}
	return strings.Repeat("#", min(max(level, 1), 6)) + " " + text + "\n\n"
}

// maxColumn bounds a column's name, in characters: it is repeated in every row.
const maxColumn = 60

// Row joins a table row's cells with their columns' names, so that it stands by itself and chats without tables show it
// well: "Destino: Bogotá; Hasta 5 kg: $7.900". Empty cells are left out.
func Row(columns, cells []string) string {
	var out []string
	for i, cell := range cells {
		if cell == "" {
			continue
		}
		if i < len(columns) && columns[i] != "" {
			cell = shortened(columns[i]) + ": " + cell
		}
		out = append(out, cell)
	}
	return strings.Join(out, "; ")
}

func shortened(column string) string {
	n := 0
	for i := range column {
		if n == maxColumn {
			return column[:i] + "…"
		}
		n++
	}
	return column
}
