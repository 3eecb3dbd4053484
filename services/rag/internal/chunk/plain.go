package chunk

import (
	"regexp"
	"strings"
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
		out = append(out, paragraph(escape(strings.Join(lines, " ")))...)
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
		out = append(out, newAtoms(marker(mark)+escape(line[len(mark):]), join)...)
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

// escape makes plain text CommonMark that shows the same characters.
func escape(text string) string {
	text = markup.ReplaceAllString(text, `\$0`)
	if strings.HasPrefix(text, "#") {
		return `\` + text
	}
	return text
}

// markup is what CommonMark would take for emphasis, code, links or tags; an underscore within a word is none of these.
var markup = regexp.MustCompile("[\\\\`*\\[\\]<>]|\\b_+\\B|\\B_+\\b")
