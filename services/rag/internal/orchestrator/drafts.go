package orchestrator

import (
	"regexp"
	"strings"
	"unicode/utf8"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/grounding"
	"github.com/knobot/knobot/services/rag/internal/sentence"
)

// drafts shows a text while it is written: whole sentences, as long as their facts stand in the sources. The first sentence
// that says something else ends it, because what follows may lean on it.
type drafts struct {
	sources []rag.Hit
	facts   *grounding.Sources
	show    func(string)
	// start is where the answer begins, after the evidence; -1 until that is whole and proves something.
	start int
	// checked is how much of the text holds, in bytes.
	checked int
	stopped bool
}

func newDrafts(sources []rag.Hit, show func(string)) *drafts {
	texts := make([]string, len(sources))
	for i, s := range sources {
		texts[i] = s.Context()
	}
	d := &drafts{sources: sources, facts: grounding.NewSources(texts...), show: show, start: -1}
	if len(sources) == 0 {
		d.start = 0
	}
	return d
}

// seen takes the whole text so far, which only grows.
func (d *drafts) seen(text string) {
	if !d.begun(text) {
		return
	}
	text = text[d.start:]
	before := d.checked
	for _, end := range wholeSentences(text) {
		if end <= d.checked {
			continue
		}
		if d.stopped = !d.facts.Holds(text[:end]); d.stopped {
			break
		}
		d.checked = end
	}
	if d.checked > before {
		d.draw(text[:d.checked])
	}
}

// begun tells whether there is something to show: evidence is never shown, nor what follows none.
func (d *drafts) begun(text string) bool {
	if d.stopped || d.start >= 0 {
		return !d.stopped
	}
	line, rest, ended := firstLine(text)
	if !ended {
		return false
	}
	_, p := prove(line, d.sources)
	d.start, d.stopped = len(text)-len(rest), p != proven
	return !d.stopped
}

// draw shows a draft, if there is anything to show.
func (d *drafts) draw(text string) {
	clean, _, known := read(text, len(d.sources))
	if !known || utf8.RuneCountInString(clean) > maxAnswer {
		d.stopped = true
		return
	}
	if clean != "" {
		d.show(clean)
	}
}

// onlyMark is the number of a list's line without the line.
var onlyMark = regexp.MustCompile(`^(?:[0-9]{1,2}[.)]|[-*+])$`)

// wholeSentences returns where the sentences of a text end, in bytes, without the last one, which may still grow.
func wholeSentences(text string) []int {
	var ends []int
	at := 0
	for _, s := range sentence.Split(text) {
		at += strings.Index(text[at:], s) + len(s)
		if !onlyMark.MatchString(s) {
			ends = append(ends, at)
		}
	}
	return ends[:max(len(ends)-1, 0)]
}
