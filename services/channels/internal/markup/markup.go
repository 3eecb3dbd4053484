// Package markup turns the CommonMark of an answer into messages for WhatsApp and Telegram.
//
// The text is parsed once (goldmark, with tables, strikethrough and bare links) and flattened into styled spans of one
// visible text. A splitter cuts that text where a reader would; a writer per platform puts the marks around each piece, so
// that formatting is closed before a cut and opened again after it, and a mark can never be cut in half.
//
// What the platforms cannot show degrades: headings become bold lines, tables become lists of "header: cell", images become
// links, raw HTML stays visible as text (only <br> becomes a line break).
package markup

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/knobot/knobot/services/channels"
)

// Limits of a message. Both platforms document characters; we count UTF-16 code units, which is never less than any other
// count of characters (WhatsApp Cloud API, "Text messages": body up to 4096; "Interactive reply buttons messages": body up
// to 1024; Telegram Bot API 10.1, sendMessage: 1-4096 characters after entities parsing; read 2026-11-23).
const (
	// MaxUnits is the most UTF-16 code units of one message.
	MaxUnits = 4096
	// MaxInteractiveUnits is the same for a WhatsApp message with buttons or a list.
	MaxInteractiveUnits = 1024
	// MaxCaptionUnits is the same for the caption of a file: "maximum 1024 characters" (WhatsApp docs, "Image messages", page
	// of 2026-06-24), 0-1024 characters after entities parsing (Telegram Bot API 10.1, sendPhoto).
	MaxCaptionUnits = 1024
	// MaxParts is the most messages that one answer becomes; what is left is cut off with an ellipsis.
	MaxParts = 32
)

// maxRawBytes bounds Telegram's text before parsing: the Bot API server refuses more than 32 KiB at once
// (tdlib/telegram-bot-api Client.cpp, read 2026-11-23).
const maxRawBytes = 32<<10 - 1<<10

// maxInput bounds what is parsed, to about twice what 32 messages hold.
const maxInput = 256 << 10

// ellipsis ends a text that was cut off.
const ellipsis = " …"

// Option shapes the messages of a text.
type Option func(*splitter)

// AsCaption makes the first message short enough for the caption of a file.
func AsCaption() Option { return func(s *splitter) { s.first = MaxCaptionUnits } }

// After leaves room for n messages that go before those of the text.
func After(n int) Option { return func(s *splitter) { s.most -= n } }

// WhatsApp renders CommonMark as WhatsApp messages. With interactive set the last one is short enough to stand over buttons.
// Blank input gives none.
//
// WhatsApp's markup has no escape character. A literal * or _ that WhatsApp might take for a mark therefore switches our own
// marks of that kind off in its line; nothing invisible is inserted.
func WhatsApp(markdown string, interactive bool, options ...Option) []channels.Part {
	last := MaxUnits
	if interactive {
		last = MaxInteractiveUnits
	}
	s := splitter{
		doc: parse(markdown), first: MaxUnits, last: last, most: MaxParts,
		write: func(runs []run) channels.Part {
			return channels.Part{Text: writeWhatsApp(runs), Plain: writePlain(runs)}
		},
		size: func(p channels.Part) int { return units(p.Text) },
	}
	return s.split(options)
}

// Telegram renders CommonMark as Telegram messages in HTML. Plain of each part says the same without markup and with the
// targets of its links, for the case that Telegram refuses the HTML. Blank input gives none.
func Telegram(markdown string, options ...Option) []channels.Part {
	s := splitter{
		doc: parse(markdown), first: MaxUnits, last: MaxUnits, most: MaxParts,
		write: func(runs []run) channels.Part {
			return channels.Part{Text: writeTelegram(runs), Plain: writePlain(runs)}
		},
		size: func(p channels.Part) int {
			// Plain holds everything that Text shows. Raw bytes are scaled to the same limit.
			return max(units(p.Plain), len(p.Text)*MaxUnits/maxRawBytes)
		},
	}
	return s.split(options)
}

// writePlain returns the visible text without marks.
func writePlain(runs []run) string {
	var b strings.Builder
	for _, r := range runs {
		b.WriteString(r.text)
	}
	return b.String()
}

// blank reports whether text shows nothing: both platforms refuse such a message.
func blank(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) }) < 0
}

// units counts UTF-16 code units.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += runeUnits(r)
	}
	return n
}

// runeUnits is utf16.RuneLen without its -1: what is not a rune is replaced by one unit.
func runeUnits(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// clean makes text safe for parser, providers and PostgreSQL: valid UTF-8, no control characters but line feed and tab, and
// no longer than maxInput. It reports whether the end was cut off.
func clean(s string) (string, bool) {
	cut := len(s) > maxInput
	if cut {
		s = s[:maxInput]
		for !utf8.ValidString(s[max(0, len(s)-utf8.UTFMax):]) && len(s) > maxInput-utf8.UTFMax {
			s = s[:len(s)-1]
		}
	}
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(dropControl, s), cut
}

func dropControl(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r < ' ' || (r >= 0x7F && r < 0xA0) || r == '\uFEFF':
		return -1
	default:
		return r
	}
}
