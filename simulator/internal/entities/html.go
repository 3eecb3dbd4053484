package entities

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/knobot/knobot/simulator"
)

// entityOf maps Telegram's HTML tags to entity types; "" is no tag of theirs.
func entityOf(tag string) string {
	switch tag {
	case "b", "strong":
		return "bold"
	case "i", "em":
		return "italic"
	case "u", "ins":
		return "underline"
	case "s", "strike", "del":
		return "strikethrough"
	case "span", "tg-spoiler":
		return "spoiler"
	case "a":
		return "text_link"
	case "tg-emoji":
		return "custom_emoji"
	case "code", "pre", "blockquote":
		return tag
	default:
		return ""
	}
}

type openTag struct {
	name       string
	offset     int
	attributes map[string]string
}

type htmlParser struct {
	builder
	source string
	at     int
	open   []openTag
}

// HTML reads Telegram's HTML. Byte offsets in refusals count from the start of
// the source.
func HTML(source string) (string, []simulator.Entity, error) {
	p := &htmlParser{source: source}
	for p.at < len(source) {
		var err error
		switch {
		case strings.HasPrefix(p.rest(), "</"):
			err = p.endTag()
		case source[p.at] == '<':
			err = p.startTag()
		default:
			p.character()
		}
		if err != nil {
			return "", nil, err
		}
	}
	if n := len(p.open); n > 0 {
		return "", nil, refuse("Can't find end tag corresponding to start tag %q", p.open[n-1].name)
	}
	text, entities := p.finish()
	return text, entities, nil
}

func (p *htmlParser) rest() string { return p.source[p.at:] }

// character copies one character or decodes one reference.
func (p *htmlParser) character() {
	if r, size := reference(p.rest()); size > 0 {
		p.write(r)
		p.at += size
		return
	}
	r, size := utf8.DecodeRuneInString(p.rest())
	p.write(r)
	p.at += size
}

// reference decodes a character reference at the start of s. Only the four
// named ones and numbers count; any other & is an ordinary character.
func reference(s string) (rune, int) {
	if len(s) < 2 || s[0] != '&' {
		return 0, 0
	}
	named := map[string]rune{"&lt": '<', "&gt": '>', "&amp": '&', "&quot": '"'}
	for name, r := range named {
		if strings.HasPrefix(s, name) {
			return r, len(name) + semicolon(s[len(name):])
		}
	}
	if s[1] != '#' {
		return 0, 0
	}
	digits, base := s[2:], 10
	if strings.HasPrefix(digits, "x") {
		digits, base = digits[1:], 16
	}
	length := span(digits, func(c byte) bool {
		return c >= '0' && c <= '9' || base == 16 && (c|0x20 >= 'a' && c|0x20 <= 'f')
	})
	code, err := strconv.ParseInt(digits[:length], base, 32)
	if err != nil || code == 0 || code >= 0x10FFFF {
		return 0, 0
	}
	size := len(s) - len(digits) + length
	return rune(code), size + semicolon(s[size:])
}

func semicolon(s string) int {
	if strings.HasPrefix(s, ";") {
		return 1
	}
	return 0
}

func (p *htmlParser) endTag() error {
	begin := p.at
	if len(p.open) == 0 {
		return refuse("Unexpected end tag at byte offset %d", begin)
	}
	p.at += len("</")
	name := strings.ToLower(p.take(func(c byte) bool { return !isSpace(c) && c != '>' }))
	p.take(isSpace)
	if p.at >= len(p.source) || p.source[p.at] != '>' {
		return refuse("Unclosed end tag at byte offset %d", begin)
	}
	p.at++
	last := p.open[len(p.open)-1]
	if name != "" && name != last.name {
		return refuse("Unmatched end tag at byte offset %d, expected \"</%s>\", found \"</%s>\"", begin, last.name, name)
	}
	p.open = p.open[:len(p.open)-1]
	p.close(last)
	return nil
}

// close turns a finished tag into its entity.
func (p *htmlParser) close(tag openTag) {
	kind, url, language := entityOf(tag.name), "", ""
	switch tag.name {
	case "a":
		url = tag.attributes["href"]
		if !strings.Contains(url, ".") && !strings.Contains(url, "://") && !strings.HasPrefix(url, "tg:") {
			kind = "" // links that are none stay plain text
		}
	case "blockquote":
		if _, ok := tag.attributes["expandable"]; ok {
			kind = "expandable_blockquote"
		}
	case "code":
		class, ok := strings.CutPrefix(tag.attributes["class"], "language-")
		if n := len(p.open); ok && n > 0 && p.open[n-1].name == "pre" && p.open[n-1].offset == tag.offset {
			p.open[n-1].attributes["language"] = class
			return
		}
	case "pre":
		language = tag.attributes["language"]
	}
	p.mark(kind, tag.offset, url, language)
}

func (p *htmlParser) startTag() error {
	begin := p.at
	p.at++
	name := strings.ToLower(p.take(func(c byte) bool { return !isSpace(c) && c != '>' }))
	if p.at >= len(p.source) {
		return refuse("Unclosed start tag at byte offset %d", begin)
	}
	if entityOf(name) == "" {
		return refuse("Unsupported start tag %q at byte offset %d", name, begin)
	}
	attributes, err := p.attributes(name, begin)
	if err != nil {
		return err
	}
	if name == "span" && attributes["class"] != "tg-spoiler" {
		return refuse("Tag \"span\" must have class \"tg-spoiler\" at byte offset %d", begin)
	}
	p.open = append(p.open, openTag{name: name, offset: p.units, attributes: attributes})
	return nil
}

// attributes reads up to and including the closing bracket.
func (p *htmlParser) attributes(tag string, begin int) (map[string]string, error) {
	attributes := make(map[string]string)
	for {
		p.take(isSpace)
		if p.at >= len(p.source) {
			return nil, refuse("Unclosed start tag %q at byte offset %d", tag, begin)
		}
		if p.source[p.at] == '>' {
			p.at++
			return attributes, nil
		}
		name := strings.ToLower(p.take(func(c byte) bool { return !isSpace(c) && c != '=' && c != '>' && c != '/' }))
		if name == "" {
			return nil, refuse("Empty attribute name in the tag %q at byte offset %d", tag, begin)
		}
		p.take(isSpace)
		if !strings.HasPrefix(p.rest(), "=") {
			if tag == "blockquote" && name == "expandable" {
				attributes[name] = ""
				continue
			}
			return nil, refuse("Expected equal sign in declaration of an attribute of the tag %q at byte offset %d", tag, begin)
		}
		p.at++
		p.take(isSpace)
		value, err := p.value(tag, begin)
		if err != nil {
			return nil, err
		}
		attributes[name] = value
	}
}

func (p *htmlParser) value(tag string, begin int) (string, error) {
	if p.at >= len(p.source) {
		return "", refuse("Unclosed start tag %q at byte offset %d", tag, begin)
	}
	quote := p.source[p.at]
	if quote != '"' && quote != '\'' {
		start := p.at
		token := p.take(func(c byte) bool {
			return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '.' || c == '-'
		})
		if p.at < len(p.source) && !isSpace(p.source[p.at]) && p.source[p.at] != '>' {
			return "", refuse("Unexpected end of name token at byte offset %d", start)
		}
		return strings.ToLower(token), nil
	}
	p.at++
	raw := p.take(func(c byte) bool { return c != quote })
	if p.at >= len(p.source) {
		return "", refuse("Unclosed start tag at byte offset %d", begin)
	}
	p.at++
	return decode(raw), nil
}

func decode(raw string) string {
	inner := htmlParser{source: raw}
	for inner.at < len(raw) {
		inner.character()
	}
	return inner.text.String()
}

// take consumes bytes while they fit.
func (p *htmlParser) take(fits func(byte) bool) string {
	length := span(p.rest(), fits)
	p.at += length
	return p.source[p.at-length : p.at]
}

func span(s string, fits func(byte) bool) int {
	length := 0
	for length < len(s) && fits(s[length]) {
		length++
	}
	return length
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
