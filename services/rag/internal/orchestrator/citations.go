package orchestrator

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var marks = regexp.MustCompile(`[ \t]*\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]`)

// read takes the marks [1] and [1, 2] out of a model's text and returns the sources they name, counted from 0, each once
// in order of mention. Sources that do not exist are dropped. known is false if the model says that it cannot answer.
func read(text string, sources int) (clean string, cited []int, known bool) {
	if strings.Contains(text, noAnswer) {
		return "", nil, false
	}
	var out strings.Builder
	last := 0
	for _, at := range marks.FindAllStringSubmatchIndex(text, -1) {
		if at[1] < len(text) && text[at[1]] == '(' { // a link whose text is a number
			continue
		}
		out.WriteString(text[last:at[0]])
		last = at[1]
		for _, number := range strings.FieldsFunc(text[at[2]:at[3]], func(r rune) bool { return r < '0' || r > '9' }) {
			n, err := strconv.Atoi(number)
			if err == nil && n >= 1 && n <= sources && !slices.Contains(cited, n-1) {
				cited = append(cited, n-1)
			}
		}
	}
	out.WriteString(text[last:])
	return strings.TrimSpace(out.String()), cited, true
}
