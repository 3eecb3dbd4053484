package chunk

import (
	"regexp"
	"strings"

	"github.com/knobot/knobot/services/rag/internal/commonmark"
)

// readPlain reads plain text: empty lines part paragraphs, lines that start like list items stay lines.
func readPlain(content string) []section {
	var atoms []atom
	for _, block := range emptyLines.Split(content, -1) {
		atoms = append(atoms, plainBlock(block)...)
	}
	return []section{{atoms: atoms}}
}

var (
	emptyLines = regexp.MustCompile(`\n[ \t]*\n\s*`)
	listItem   = regexp.MustCompile(`^\s*([-*•+]|\d{1,3}[.)])\s+`)
)

func plainBlock(block string) []atom {
	var out []atom
	var lines []string
	flush := func() {
		out = append(out, paragraph(commonmark.Escape(strings.Join(lines, " ")))...)
		lines = nil
	}
	join := newParagraph
	for line := range strings.Lines(block) {
		line = oneLine(line)
		mark := listItem.FindString(line)
		if mark == "" {
			lines = append(lines, line)
			continue
		}
		if len(lines) > 0 {
			flush()
			join = sameList
		}
		out = append(out, newAtoms(marker(mark)+commonmark.Escape(line[len(mark):]), join)...)
		join = sameList
	}
	flush()
	return out
}

// marker keeps a number and makes every bullet CommonMark's.
func marker(mark string) string {
	if mark = strings.TrimSpace(mark); len(mark) > 1 && mark[0] >= '0' && mark[0] <= '9' {
		return mark + " "
	}
	return "- "
}
