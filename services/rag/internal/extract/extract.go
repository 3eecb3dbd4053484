// Package extract answers with the documents' own words: a short section whole, of a longer one the sentences that say
// most about the question.
package extract

import (
	"cmp"
	"slices"
	"strings"

	"github.com/knobot/knobot/services/rag/internal/analysis"
	"github.com/knobot/knobot/services/rag/internal/retrieval"
	"github.com/knobot/knobot/services/rag/internal/sentence"
)

const (
	// wholeWords is the length up to which a passage is given whole: measured best, more often right than any choice of
	// sentences and still short in a chat.
	wholeWords = 80
	// bestSentences is how many are chosen of a longer one.
	bestSentences = 3
)

// Extractor chooses sentences. It is safe for concurrent use.
type Extractor struct {
	analyzer *analysis.Analyzer
}

// New returns an extractor.
func New(analyzer *analysis.Analyzer) *Extractor { return &Extractor{analyzer: analyzer} }

// Answer returns what a passage's text says about a question, as CommonMark.
func (e *Extractor) Answer(q retrieval.Question, text string) string {
	if len(strings.Fields(text)) <= wholeWords {
		return text
	}
	units := unitsOf(text)
	for i := range units {
		units[i].score = q.Coverage(e.analyzer.Stems(units[i].text))
	}
	return render(best(units))
}

// unit is a sentence, a list item or a row of a table, with its place in the text.
type unit struct {
	text     string
	position int
	line     int
	item     bool
	score    float64
}

// unitsOf cuts a passage. A question belongs to the sentence that answers it.
func unitsOf(text string) []unit {
	var out []unit
	for i, line := range strings.Split(text, "\n") {
		sentences := []string{line}
		item := isItem(line)
		if !item {
			sentences = joinQuestions(sentence.Split(line))
		}
		for _, s := range sentences {
			if s != "" {
				out = append(out, unit{text: s, position: len(out), line: i, item: item})
			}
		}
	}
	return out
}

// isItem knows the list items that package chunk writes.
func isItem(line string) bool {
	line = strings.TrimLeft(line, " ")
	if strings.HasPrefix(line, "- ") {
		return true
	}
	digits := strings.TrimLeft(line, "0123456789")
	return len(digits) < len(line) && (strings.HasPrefix(digits, ". ") || strings.HasPrefix(digits, ") "))
}

func joinQuestions(sentences []string) []string {
	var out []string
	for _, s := range sentences {
		if n := len(out); n > 0 && strings.HasSuffix(strings.TrimRight(out[n-1], "*_»\"”"), "?") {
			out[n-1] += " " + s
			continue
		}
		out = append(out, s)
	}
	return out
}

// best returns the units to show, in the order of the text.
func best(units []unit) []unit {
	slices.SortStableFunc(units, func(a, b unit) int { return cmp.Compare(b.score, a.score) })
	chosen := units[:min(bestSentences, len(units))]
	slices.SortFunc(chosen, func(a, b unit) int { return cmp.Compare(a.position, b.position) })
	return chosen
}

func render(units []unit) string {
	var out strings.Builder
	for i, u := range units {
		switch {
		case i == 0:
		case u.line == units[i-1].line:
			out.WriteByte(' ')
		case u.item && units[i-1].item:
			out.WriteByte('\n')
		default:
			out.WriteString("\n\n")
		}
		out.WriteString(u.text)
	}
	return out.String()
}
