package analysis

import (
	_ "embed"
	"slices"
	"strings"
)

//go:embed lexicon.txt
var lexicon string

// readLexicon returns the stems that mean the same as a stem, without itself. A word of several meanings has those of all.
func readLexicon() map[string][]string {
	out := make(map[string][]string, 1024)
	for line := range strings.Lines(lexicon) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var meaning []string
		for _, word := range strings.Fields(line) {
			meaning = append(meaning, stem(word))
		}
		meaning = distinct(meaning)
		for _, word := range meaning {
			for _, other := range meaning {
				if other != word && !slices.Contains(out[word], other) {
					out[word] = append(out[word], other)
				}
			}
		}
	}
	return out
}
