package markup

import "strings"

// style is a set of formatting marks.
type style uint16

const (
	bold style = 1 << iota
	italic
	strike
	code  // inline code, never together with a mark above or a link
	pre   // a block of code, likewise
	quote // inside a block quotation
	// target marks the " (url)" after the text of a link: visible on WhatsApp and in plain text, an attribute on Telegram.
	target
	// glue forbids a cut at white space: list markers and link targets stay with their word.
	glue
)

// run is a piece of visible text with one formatting.
type run struct {
	text  string
	style style
	link  string // absolute URL, empty for none
}

// span is a run by its place in the text of a document.
type span struct {
	start, end int
	style      style
	link       string
}

// document is the whole visible text and how it is formatted. Its spans cover the text without gaps, in order.
type document struct {
	text  string
	spans []span
}

// runs returns the part of the document between two byte offsets.
func (d document) runs(from, to int) []run {
	var out []run
	for i := d.spanAt(from); i < len(d.spans) && d.spans[i].start < to; i++ {
		s := d.spans[i]
		out = append(out, run{text: d.text[max(s.start, from):min(s.end, to)], style: s.style, link: s.link})
	}
	return out
}

// spanAt returns the index of the span that holds a byte offset.
func (d document) spanAt(offset int) int {
	low, high := 0, len(d.spans)
	for low < high {
		if mid := (low + high) / 2; d.spans[mid].end <= offset {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// plainDocument is text without any formatting.
func plainDocument(text string) document {
	return document{text: text, spans: []span{{end: len(text)}}}
}

// builder collects runs into a document.
type builder struct {
	text  strings.Builder
	spans []span

	breaks     int  // line feeds owed before the next text
	blockBreak bool // they stand between blocks
	quoteID    int  // which quotation we are in, 0 for none
	lastQuote  int  // which one the last text was in
	quotes     int  // how many there were
	indent     string
	marker     string // of a list item, owed before its first text
}

// block owes at least n line feeds before the next text.
func (b *builder) block(n int) {
	b.breaks = max(b.breaks, n)
	b.blockBreak = true
}

// write appends text with one formatting; its line feeds become line breaks.
func (b *builder) write(text string, st style, link string) {
	if b.quoteID != 0 {
		st |= quote
	}
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			b.breaks++
		}
		if line != "" {
			b.line(line, st, link)
		}
	}
}

// line appends text without line feeds, after the breaks, the indentation and the marker that are owed.
func (b *builder) line(text string, st style, link string) {
	lineStart := b.text.Len() == 0 || b.breaks > 0
	b.flushBreaks(st, link)
	switch {
	case b.marker != "":
		b.put(b.marker, st&quote|glue, "")
		b.marker = ""
	case lineStart && st&pre == 0 && b.indent != "":
		b.put(b.indent, st&quote|glue, "")
	}
	b.put(text, st, link)
}

// flushBreaks writes the line feeds owed. Formatting that goes on after them covers them; between blocks only a quotation
// goes on.
func (b *builder) flushBreaks(st style, link string) {
	n := b.breaks
	b.breaks = 0
	if b.text.Len() == 0 || n == 0 {
		b.blockBreak, b.lastQuote = false, b.quoteID
		return
	}
	last := b.spans[len(b.spans)-1]
	common := last.style & st &^ (glue | target)
	if b.blockBreak {
		common &= quote
	}
	if b.lastQuote != b.quoteID {
		common &^= quote
	}
	if b.blockBreak || last.link != link {
		link = ""
	}
	b.blockBreak, b.lastQuote = false, b.quoteID
	b.put(strings.Repeat("\n", n), common, link)
}

// put appends a span, joined to the one before if they look the same.
func (b *builder) put(text string, st style, link string) {
	start := b.text.Len()
	b.text.WriteString(text)
	if n := len(b.spans); n > 0 && b.spans[n-1].style == st && b.spans[n-1].link == link {
		b.spans[n-1].end = b.text.Len()
		return
	}
	b.spans = append(b.spans, span{start: start, end: b.text.Len(), style: st, link: link})
}

// document returns what was written.
func (b *builder) document() document {
	return document{text: b.text.String(), spans: b.spans}
}
