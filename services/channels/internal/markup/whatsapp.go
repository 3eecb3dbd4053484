package markup

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// WhatsApp's markup, as its help centre describes it ("How to format your messages", read 2026-11-23): *bold*, _italic_,
// ~strikethrough~, `inline code`, ```monospace```, "> " before a line to quote. There is no escape character. The page does
// not say where a mark counts; what is relied on here is what clients do: it must touch the text inside, must not touch a
// letter or digit outside, and ends with its line (only ``` goes on over lines).
const (
	boldMark   = "*"
	italicMark = "_"
	strikeMark = "~"
	codeMark   = "`"
	preMark    = "```"
	quoteMark  = "> "
	marks      = "*_~`"
)

// writeWhatsApp writes runs as WhatsApp markup. Marks that might not work where they would stand are left out, so that the
// reader never sees a stray one.
func writeWhatsApp(runs []run) string {
	w := newWhatsAppWriter(runs)
	w.markBlocks()
	for from := 0; from <= len(w.text); {
		to := from + strings.IndexByte(w.text[from:]+"\n", '\n')
		w.markLine(from, to)
		from = to + 1
	}
	return w.String()
}

// whatsAppWriter collects marks to insert into the visible text.
type whatsAppWriter struct {
	document
	protected []extent // code that stands between its marks: nothing in there counts as a mark
	inserts   []insert
}

// extent is a part of the text.
type extent struct{ from, to int }

// insert is a mark before a byte of the text. Marks at the same place are sorted by rank: those that close (negative), the
// quotation mark (zero), those that open.
type insert struct {
	at, rank int
	mark     string
}

func newWhatsAppWriter(runs []run) *whatsAppWriter {
	var b builder
	for _, r := range runs {
		b.put(r.text, r.style&^(glue|target), "")
	}
	return &whatsAppWriter{document: b.document()}
}

// String returns the text with all marks in.
func (w *whatsAppWriter) String() string {
	slices.SortStableFunc(w.inserts, func(a, b insert) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rank, b.rank))
	})
	var b strings.Builder
	done := 0
	for _, i := range w.inserts {
		b.WriteString(w.text[done:i.at])
		b.WriteString(i.mark)
		done = i.at
	}
	b.WriteString(w.text[done:])
	return b.String()
}

// enclose puts a mark on both sides. Of several that begin or end at one place, the longer extent is outside.
func (w *whatsAppWriter) enclose(e extent, mark string, depth int) {
	const depths = 8 // more than there are
	w.inserts = append(w.inserts,
		insert{at: e.from, rank: 1 + (len(w.text)-e.to)*depths + depth, mark: mark},
		insert{at: e.to, rank: -1 - e.from*depths - depth, mark: mark},
	)
}

// markBlocks encloses blocks of code. One that holds the mark itself stays bare, and so do all if the text holds one.
func (w *whatsAppWriter) markBlocks() {
	blocks := w.extents(pre, 0, len(w.text))
	for _, e := range blocks {
		if strings.Contains(w.text[e.from:e.to], preMark) {
			return
		}
	}
	if strings.Contains(w.without(blocks), preMark) {
		return
	}
	for _, e := range blocks {
		w.protected = append(w.protected, e)
		for _, piece := range w.blockPieces(e) {
			w.enclose(piece, preMark, 0)
		}
	}
}

// blockPieces is the block itself, or each line of one inside a quotation, where every line has its own mark.
func (w *whatsAppWriter) blockPieces(e extent) []extent {
	if w.spans[w.spanAt(e.from)].style&quote == 0 {
		return []extent{e}
	}
	var out []extent
	for from := e.from; from < e.to; {
		to := min(e.to, from+strings.IndexByte(w.text[from:]+"\n", '\n'))
		if strings.TrimSpace(w.text[from:to]) != "" {
			out = append(out, extent{from, to})
		}
		from = to + 1
	}
	return out
}

// without returns the text with the given extents left out.
func (w *whatsAppWriter) without(extents []extent) string {
	var b strings.Builder
	done := 0
	for _, e := range extents {
		b.WriteString(w.text[done:e.from] + "\n")
		done = e.to
	}
	return b.String() + w.text[done:]
}

// markLine marks what is formatted in one line.
func (w *whatsAppWriter) markLine(from, to int) {
	if strings.TrimSpace(w.text[from:to]) == "" {
		return
	}
	if w.spans[w.spanAt(from)].style&quote != 0 {
		w.inserts = append(w.inserts, insert{at: from, mark: quoteMark})
	}
	accepted := w.markStyle(code, codeMark, 0, from, to, nil)
	w.protected = append(w.protected, accepted...)
	for depth, m := range [...]struct {
		style style
		mark  string
	}{{bold, boldMark}, {italic, italicMark}, {strike, strikeMark}} {
		accepted = append(accepted, w.markStyle(m.style, m.mark, depth+1, from, to, accepted)...)
	}
}

// markStyle encloses the extents of one style in a line where its mark can be relied on, and returns them.
func (w *whatsAppWriter) markStyle(st style, mark string, depth, from, to int, others []extent) []extent {
	candidates := w.extents(st, from, to)
	if len(candidates) == 0 || w.literal(mark[0], from, to) {
		return nil
	}
	var out []extent
	for _, e := range candidates {
		if w.reliable(e, mark, from, to) && !slices.ContainsFunc(others, e.crosses) {
			w.enclose(e, mark, depth)
			out = append(out, e)
		}
	}
	return out
}

// extents returns where text has a style between two offsets, without white space around it.
func (w *whatsAppWriter) extents(st style, from, to int) []extent {
	var out []extent
	for i := w.spanAt(from); i < len(w.spans) && w.spans[i].start < to; i++ {
		s := w.spans[i]
		if s.style&st == 0 {
			continue
		}
		e := extent{max(s.start, from), min(s.end, to)}
		if n := len(out); n > 0 && out[n-1].to == e.from {
			out[n-1].to = e.to
		} else {
			out = append(out, e)
		}
	}
	for i, e := range out {
		body := w.text[e.from:e.to]
		out[i].from = e.to - len(strings.TrimLeftFunc(body, unicode.IsSpace))
		out[i].to = max(out[i].from, e.from+len(strings.TrimRightFunc(body, unicode.IsSpace)))
	}
	return slices.DeleteFunc(out, func(e extent) bool { return e.from == e.to })
}

// crosses reports whether two extents overlap without one holding the other.
func (e extent) crosses(o extent) bool {
	return e.from < o.to && o.from < e.to &&
		(e.from < o.from || e.to > o.to) && (o.from < e.from || o.to > e.to)
}

// reliable reports whether marks around an extent would work: nothing like them inside, no letter outside, nothing that
// looks like any mark beside them, and no address, whose end they would spoil.
func (w *whatsAppWriter) reliable(e extent, mark string, from, to int) bool {
	body := w.text[e.from:e.to]
	before, _ := utf8.DecodeLastRuneInString(w.text[from:e.from])
	after, _ := utf8.DecodeRuneInString(w.text[e.to:to])
	if mark != codeMark && (strings.Contains(body, "://") || strings.Trim(body, marks) != body) {
		return false
	}
	return !strings.Contains(body, mark) &&
		(e.from == from || detached(before)) && (e.to == to || detached(after))
}

// literal reports whether the line holds the mark as text in a place where WhatsApp might take it for a mark, or shows it
// in a way that we cannot foresee. Between letters (snake_case) and between spaces (2 * 3) it never does.
func (w *whatsAppWriter) literal(mark byte, from, to int) bool {
	for i := from; i < to; i++ {
		if w.text[i] != mark || w.isProtected(i) {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(w.text[from:i])
		after, _ := utf8.DecodeRuneInString(w.text[i+1 : to])
		inWord := i > from && i+1 < to && isWord(before) && isWord(after)
		alone := (i == from || unicode.IsSpace(before)) && (i+1 == to || unicode.IsSpace(after))
		if !inWord && !alone {
			return true
		}
	}
	return false
}

func (w *whatsAppWriter) isProtected(at int) bool {
	return slices.ContainsFunc(w.protected, func(e extent) bool { return e.from <= at && at < e.to })
}

// detached reports whether a mark may stand beside a character outside.
func detached(r rune) bool {
	return !isWord(r) && !strings.ContainsRune(marks, r)
}

func isWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}
