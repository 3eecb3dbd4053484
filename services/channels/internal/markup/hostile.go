package markup

import "strings"

// Bounds of what is parsed as CommonMark; beyond them a text is shown as it is. No answer comes near them. Without them a
// hostile text of 100 kB takes seconds or gigabytes: goldmark 1.8.7 works in lines × nesting, in bytes × links or emphasis
// begun, and fills every row of a table up to the number of its columns.
const (
	maxDepth = 64
	maxLinks = 1000
	maxMarks = 20_000
	maxCells = 1 << 16
)

// hostile reports a text beyond the bounds.
func hostile(markdown string) bool {
	if strings.Count(markdown, "](") > maxLinks || countAny(markdown, "*_~") > maxMarks {
		return true
	}
	columns, lines := 0, 0
	for line := range strings.Lines(markdown) {
		if depth(line) > maxDepth {
			return true
		}
		lines++
		if strings.Trim(line, "|:->+* \t\n") == "" { // may separate the header of a table from its rows
			columns = max(columns, strings.Count(line, "|"))
		}
	}
	return columns*lines > maxCells
}

// depth counts the markers of quotations and lists at the start of a line, and the indentation that may continue some.
func depth(line string) int {
	n, spaces := 0, 0
	for line != "" {
		switch length := markerLength(line); {
		case length > 0:
			n++
			line = line[length:]
		case line[0] == ' ':
			spaces++
			line = line[1:]
		case line[0] == '\t':
			spaces += 4
			line = line[1:]
		default:
			return n + spaces/4
		}
	}
	return n + spaces/4
}

// markerLength returns the length of the marker at the start of s: ">", "-", "12." and their like; 0 if there is none. A
// list's must be followed by white space, so that a long rule of dashes is none.
func markerLength(s string) int {
	if s[0] == '>' {
		return 1
	}
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	rest := s[digits:]
	marker := digits == 0 && strings.IndexByte("-*+", s[0]) >= 0 ||
		digits > 0 && rest != "" && (rest[0] == '.' || rest[0] == ')')
	if !marker || len(rest) > 1 && strings.IndexByte(" \t\n", rest[1]) < 0 {
		return 0
	}
	return digits + 1
}

// countAny counts the bytes of s that are in set.
func countAny(s, set string) int {
	n := 0
	for i := range len(s) {
		if strings.IndexByte(set, s[i]) >= 0 {
			n++
		}
	}
	return n
}
