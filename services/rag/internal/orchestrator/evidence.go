package orchestrator

import (
	"regexp"
	"strconv"
	"strings"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/grounding"
)

// evidence is the first line of a model's answer: the sentence of a source that answers the question. It is asked for and
// checked because a question about something that is nearly in the documents looks answered to every other check.
var evidence = regexp.MustCompile(`^[\s*_#>]*EVIDENCE[\s*_]*\[\s*([0-9]{1,3})\s*\][\s*_]*:?[\s*_]*(.+)$`)

// proof is what an answer's first line proves.
type proof int

const (
	// noProof is a line that is no evidence: the model does not follow the rules, which says nothing about the question.
	noProof proof = iota
	// misquoted is evidence that does not stand in the source.
	misquoted
	proven
)

// prove checks the first line of an answer. source is where the quotation stands, counted from 0.
func prove(line string, sources []rag.Hit) (source int, p proof) {
	m := evidence.FindStringSubmatch(line)
	if m == nil {
		return 0, noProof
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n < 1 || n > len(sources) || !grounding.Quotes(harmless(sources[n-1].Text), m[2]) {
		return 0, misquoted
	}
	return n - 1, proven
}

// firstLine parts an answer after its first line that is not blank.
func firstLine(text string) (line, rest string, ended bool) {
	return strings.Cut(strings.TrimLeft(text, " \t\r\n"), "\n")
}
