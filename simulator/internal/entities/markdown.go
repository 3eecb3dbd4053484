package entities

import (
	"strings"
	"unicode/utf8"

	"github.com/knobot/knobot/simulator"
)

// reserved are the characters that MarkdownV2 wants escaped everywhere.
const reserved = "_*[]()~`>#+-=|{}.!"

type markParser struct {
	builder
	source string
	at     int
	open   []openMark
}

type openMark struct {
	mark   string // as written: *, _, __, ~, ||, [
	offset int
	begin  int
}

func markName(mark string) (kind, title string) {
	switch mark {
	case "*":
		return "bold", "Bold"
	case "_":
		return "italic", "Italic"
	case "__":
		return "underline", "Underline"
	case "~":
		return "strikethrough", "Strikethrough"
	case "||":
		return "spoiler", "Spoiler"
	case "`":
		return "code", "Code"
	case "```":
		return "pre", "Pre"
	default:
		return "text_link", "TextUrl"
	}
}

// MarkdownV2 reads Telegram's second Markdown.
func MarkdownV2(source string) (string, []simulator.Entity, error) {
	p := &markParser{source: source}
	for p.at < len(source) {
		if err := p.next(); err != nil {
			return "", nil, err
		}
	}
	if n := len(p.open); n > 0 {
		return "", nil, p.unfinished(p.open[n-1])
	}
	text, entities := p.finish()
	return text, entities, nil
}

func (p *markParser) unfinished(m openMark) error {
	_, title := markName(m.mark)
	return refuse("Can't find end of %s entity at byte offset %d", title, m.begin)
}

func (p *markParser) rest() string { return p.source[p.at:] }

func (p *markParser) next() error {
	rest := p.rest()
	if len(rest) > 1 && rest[0] == '\\' && rest[1] > 0 && rest[1] <= 126 {
		p.write(rune(rest[1]))
		p.at += 2
		return nil
	}
	r, size := utf8.DecodeRuneInString(rest)
	if !strings.ContainsRune(reserved, r) {
		p.write(r)
		p.at += size
		return nil
	}
	switch {
	case strings.HasPrefix(rest, "```"):
		return p.verbatim("```")
	case rest[0] == '`':
		return p.verbatim("`")
	case strings.HasPrefix(rest, "__"), strings.HasPrefix(rest, "||"):
		p.toggle(rest[:2])
	case rest[0] == '*', rest[0] == '_', rest[0] == '~':
		p.toggle(rest[:1])
	case rest[0] == '[':
		p.open = append(p.open, openMark{mark: "[", offset: p.units, begin: p.at})
		p.at++
	case rest[0] == ']' && len(p.open) > 0 && p.open[len(p.open)-1].mark == "[":
		return p.link()
	case rest[0] == '>' && (p.at == 0 || p.source[p.at-1] == '\n'):
		p.at++ // a block quotation; its entity is not needed here
	default:
		return refuse("Character '%c' is reserved and must be escaped with the preceding '\\'", r)
	}
	return nil
}

func (p *markParser) toggle(mark string) {
	if n := len(p.open); n > 0 && p.open[n-1].mark == mark {
		kind, _ := markName(mark)
		p.mark(kind, p.open[n-1].offset, "", "")
		p.open = p.open[:n-1]
	} else {
		p.open = append(p.open, openMark{mark: mark, offset: p.units, begin: p.at})
	}
	p.at += len(mark)
}

// verbatim reads code up to the same mark.
func (p *markParser) verbatim(mark string) error {
	begin, offset, language := p.at, p.units, ""
	p.at += len(mark)
	if mark == "```" {
		if line, _, ok := strings.Cut(p.rest(), "\n"); ok && !strings.ContainsAny(line, " `") {
			language = line
			p.at += len(line) + 1
		}
	}
	for p.at < len(p.source) {
		rest := p.rest()
		if strings.HasPrefix(rest, mark) {
			kind, _ := markName(mark)
			p.mark(kind, offset, "", language)
			p.at += len(mark)
			return nil
		}
		if len(rest) > 1 && rest[0] == '\\' {
			p.at++
		}
		r, size := utf8.DecodeRuneInString(p.rest())
		p.write(r)
		p.at += size
	}
	return p.unfinished(openMark{mark: mark, begin: begin})
}

// link reads the address after a link's text.
func (p *markParser) link() error {
	start := p.open[len(p.open)-1]
	p.open = p.open[:len(p.open)-1]
	p.at++
	address, ok := strings.CutPrefix(p.rest(), "(")
	end := strings.IndexByte(address, ')')
	if !ok {
		return nil
	}
	if end < 0 {
		return refuse("Can't find end of a URL at byte offset %d", p.at)
	}
	p.mark("text_link", start.offset, strings.ReplaceAll(address[:end], "\\", ""), "")
	p.at += end + 2
	return nil
}

// Markdown reads the old Markdown: no nesting, four kinds of mark.
func Markdown(source string) (string, []simulator.Entity, error) {
	p := &markParser{source: source}
	for p.at < len(source) {
		rest := p.rest()
		switch {
		case len(rest) > 1 && rest[0] == '\\' && strings.IndexByte("_*`[", rest[1]) >= 0:
			p.write(rune(rest[1]))
			p.at += 2
		case strings.HasPrefix(rest, "```"):
			if err := p.flat("```"); err != nil {
				return "", nil, err
			}
		case strings.IndexByte("_*`[", rest[0]) >= 0:
			if err := p.flat(rest[:1]); err != nil {
				return "", nil, err
			}
		default:
			r, size := utf8.DecodeRuneInString(rest)
			p.write(r)
			p.at += size
		}
	}
	text, entities := p.finish()
	return text, entities, nil
}

// flat reads one entity of the old Markdown.
func (p *markParser) flat(mark string) error {
	begin, offset, end := p.at, p.units, mark
	if mark == "[" {
		end = "]"
	}
	p.at += len(mark)
	inner, after, ok := strings.Cut(p.rest(), end)
	if !ok {
		return p.unfinished(openMark{mark: mark, begin: begin})
	}
	for _, r := range inner {
		p.write(r)
	}
	p.at += len(inner) + len(end)
	kind, _ := markName(mark)
	url := ""
	if mark == "[" {
		address, isLink := strings.CutPrefix(after, "(")
		var closed bool
		if url, _, closed = strings.Cut(address, ")"); !isLink || !closed {
			return nil
		}
		p.at += len(url) + 2
	}
	p.mark(kind, offset, url, "")
	return nil
}
