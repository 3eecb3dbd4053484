// Package entities turns the marked-up text of a Bot API call into plain text
// and entities, refusing what Telegram refuses. Rules and wording follow the
// Bot API's "Formatting options" (core.telegram.org/bots/api, version 10.1 of
// 11 June 2026) and the answers of the public server.
package entities

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/knobot/knobot/simulator"
)

// Error is a refusal; its text is what follows "can't parse entities: ".
type Error struct{ Reason string }

// Error returns the reason.
func (e *Error) Error() string { return e.Reason }

func refuse(format string, args ...any) error { return &Error{Reason: fmt.Sprintf(format, args...)} }

// Parse reads text in the given parse mode, which is matched without case.
// Unknown modes give ok = false.
func Parse(text, mode string) (plain string, found []simulator.Entity, ok bool, err error) {
	switch strings.ToLower(mode) {
	case "", "none":
		return text, nil, true, nil
	case "html":
		plain, found, err = HTML(text)
	case "markdownv2":
		plain, found, err = MarkdownV2(text)
	case "markdown":
		plain, found, err = Markdown(text)
	default:
		return "", nil, false, nil
	}
	return plain, found, true, err
}

// Length counts text as Telegram does, in UTF-16 code units.
func Length(text string) int {
	units := 0
	for _, r := range text {
		units++
		if r > 0xFFFF {
			units++
		}
	}
	return units
}

// builder collects plain text and the entities over it.
type builder struct {
	text     strings.Builder
	units    int
	entities []simulator.Entity
}

func (b *builder) write(r rune) {
	b.text.WriteRune(r)
	b.units++
	if r > 0xFFFF {
		b.units++
	}
}

// mark adds an entity that ends here; empty ones vanish, as on the server.
func (b *builder) mark(kind string, offset int, url, language string) {
	if kind == "" || b.units == offset {
		return
	}
	b.entities = append(b.entities, simulator.Entity{
		Type: kind, Offset: offset, Length: b.units - offset, URL: url, Language: language,
	})
}

// finish trims the text, moves the entities along and sorts them.
func (b *builder) finish() (string, []simulator.Entity) {
	const space = " \n\r\t\v\f"
	text := b.text.String()
	left := Length(text) - Length(strings.TrimLeft(text, space))
	trimmed := strings.Trim(text, space)
	length := Length(trimmed)
	kept := b.entities[:0]
	for _, e := range b.entities {
		start := max(e.Offset-left, 0)
		end := min(e.Offset+e.Length-left, length)
		if end > start {
			e.Offset, e.Length = start, end-start
			kept = append(kept, e)
		}
	}
	kept = withoutNestedInCode(kept)
	slices.SortStableFunc(kept, func(a, b simulator.Entity) int {
		if a.Offset != b.Offset {
			return a.Offset - b.Offset
		}
		return b.Length - a.Length
	})
	return trimmed, kept
}

// withoutNestedInCode drops what lies inside code: "pre and code entities can't
// contain other entities".
func withoutNestedInCode(all []simulator.Entity) []simulator.Entity {
	inCode := func(e simulator.Entity) bool {
		return slices.ContainsFunc(all, func(o simulator.Entity) bool {
			code := o.Type == "code" || o.Type == "pre"
			return code && o != e && e.Type != "pre" && o.Offset <= e.Offset && e.Offset+e.Length <= o.Offset+o.Length
		})
	}
	kept := make([]simulator.Entity, 0, len(all))
	for _, e := range all {
		if !inCode(e) {
			kept = append(kept, e)
		}
	}
	return kept
}

// Trim trims text that has no markup as the server does.
func Trim(text string) string {
	var b builder
	b.text.WriteString(text)
	trimmed, _ := b.finish()
	return trimmed
}

// Valid reports whether the server takes the text's bytes at all.
func Valid(text string) bool { return utf8.ValidString(text) }
