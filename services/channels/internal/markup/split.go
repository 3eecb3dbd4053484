package markup

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/knobot/knobot/services/channels"
)

// splitter cuts a document into messages.
type splitter struct {
	doc         document
	first, last int // limits of the first and the last message, at most MaxUnits
	most        int // messages
	// write renders runs, size measures the result in the unit of MaxUnits.
	write func([]run) channels.Part
	size  func(channels.Part) int
}

// split returns the messages.
func (s splitter) split(options []Option) []channels.Part {
	for _, o := range options {
		o(&s)
	}
	var out []channels.Part
	end := len(strings.TrimRightFunc(s.doc.text, unicode.IsSpace))
	for from := s.skip(0); from < end; {
		room := s.room(len(out))
		rest, fits := s.whole(from, end, min(room, s.last))
		switch {
		case fits && blank(rest.Plain):
			return out
		case fits:
			return append(out, rest)
		case len(out) == s.most-1:
			part, _ := s.next(from, end, min(room, s.last)-units(ellipsis))
			part.Text += ellipsis
			part.Plain += ellipsis
			return append(out, part)
		}
		part, to := s.next(from, end, s.budget(from, end, room))
		if !blank(part.Plain) {
			out = append(out, part)
		}
		from = s.skip(to)
	}
	return out
}

// room is the limit of a message that is not the last.
func (s splitter) room(n int) int {
	if n == 0 {
		return s.first
	}
	return MaxUnits
}

// whole renders everything that is left, if it fits.
func (s splitter) whole(from, end, limit int) (channels.Part, bool) {
	if end-from > 3*limit { // no code unit takes more than three bytes
		return channels.Part{}, false
	}
	part := s.write(s.doc.runs(from, end))
	return part, s.size(part) <= limit
}

// budget is how long the next message may get within its room. One before a shorter last one leaves enough for that.
func (s splitter) budget(from, end, room int) int {
	if s.last == MaxUnits || end-from > 3*MaxUnits {
		return room
	}
	return max(2, min(room, units(s.doc.text[from:end])-s.last/2))
}

// next renders one message that starts at from and returns where it ends. Marks count too, so a piece that turns out too
// long is cut again, shorter.
func (s splitter) next(from, end, limit int) (channels.Part, int) {
	for budget := limit; ; {
		to := s.cut(from, end, budget)
		part := s.write(s.doc.runs(from, to))
		used, size := units(s.doc.text[from:to]), s.size(part)
		if size <= limit || used <= 2 {
			return part, to
		}
		budget = max(2, min(used-1, used*limit/size))
	}
}

// rank says how good a place is to cut, best first.
type rank int

const (
	paragraph rank = iota
	lineEnd
	sentence
	word
	ranks
)

// cut returns where to end a piece of at most budget units: the last border of the best rank in its second half, else the
// last border between words, else between characters.
func (s splitter) cut(from, end, budget int) int {
	var best [ranks]int
	half, used, state := 0, 0, -1
	at := from
	for at < end {
		cluster, _, _, next := uniseg.FirstGraphemeClusterInString(s.doc.text[at:end], state)
		n := units(cluster)
		if at > from && breaks(cluster) && !s.glued(at) {
			s.border(&best, from, at, end)
		}
		if used+n > budget {
			break
		}
		if used += n; used*2 <= budget {
			half = at
		}
		at, state = at+len(cluster), next
	}
	if at == end {
		return end
	}
	for _, b := range best {
		if b > half {
			return b
		}
	}
	switch {
	case best[word] > from:
		return best[word]
	case at > from:
		return at
	default:
		return s.cutCluster(from, budget)
	}
}

// cutCluster cuts a single character that is longer than a message, between its code points.
func (s splitter) cutCluster(from, budget int) int {
	at, used := from, 0
	for i, r := range s.doc.text[from:] {
		if used += runeUnits(r); used > budget && i > 0 {
			break
		}
		at = from + i + utf8.RuneLen(r)
	}
	return at
}

// border notes the border at white space at an offset: it is one of its own rank and of all lower ones.
func (s splitter) border(best *[ranks]int, from, at, end int) {
	before, _ := utf8.DecodeLastRuneInString(s.doc.text[from:at])
	if unicode.IsSpace(before) {
		return // inside white space
	}
	r := word
	space := s.doc.text[at:min(end, at+len(leadingSpace(s.doc.text[at:end])))]
	switch n := strings.Count(space, "\n"); {
	case n > 1:
		r = paragraph
	case n == 1:
		r = lineEnd
	case strings.ContainsRune(".!?…。！？:;", before):
		r = sentence
	}
	for ; r < ranks; r++ {
		best[r] = at
	}
}

// glued reports whether the text at an offset must stay with what is before it.
func (s splitter) glued(at int) bool {
	return s.doc.spans[s.doc.spanAt(at)].style&glue != 0
}

// skip passes over the white space between two messages; the indentation of code is not white space.
func (s splitter) skip(at int) int {
	space := leadingSpace(s.doc.text[at:])
	next := at + len(space)
	if next < len(s.doc.text) && s.doc.spans[s.doc.spanAt(next)].style&pre != 0 {
		return at + strings.LastIndexByte(space, '\n') + 1
	}
	return next
}

func leadingSpace(s string) string {
	return s[:len(s)-len(strings.TrimLeftFunc(s, unicode.IsSpace))]
}

// breaks reports whether a character is white space where a line may end.
func breaks(cluster string) bool {
	return strings.TrimSpace(cluster) == "" && cluster != "\u00A0" && cluster != "\u202F"
}
