package markup

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/knobot/knobot/services/channels"
)

// Words that random texts are made of. Some hold the marks of WhatsApp where a model of it may take them for marks.
var (
	plainWords = []string{
		"hola", "ñandú", "España,", "24/48", "h.", "¿qué?", "👍🏽", "👨‍👩‍👧‍👦", "日本語。", "e\u0301", "<b>", "a&b", "&amp;", "\"x\"",
		"https://x.example/a?b=c&d=e", "ana@example.com", "(4,95", "€)", "|", "1.", "fin!",
	}
	markedWords = []string{"snake_case", "\\*", "\\_x\\_", "2", "*", "a\\*b", "\\~5", "foo**bar**baz", "_", "x\\*", "\\*y", "__init__", "<a_b>"}
)

// generator draws Markdown.
type generator struct {
	words []string
	code  bool
}

func (g generator) inline(t *rapid.T, depth int) string {
	if depth == 0 {
		return rapid.SampledFrom(g.words).Draw(t, "word")
	}
	inner := func() string { return g.inline(t, depth-1) }
	switch rapid.IntRange(0, 8).Draw(t, "inline") {
	case 0:
		return "**" + inner() + "**"
	case 1:
		return "*" + inner() + "*"
	case 2:
		return "~~" + inner() + "~~"
	case 3:
		return "[" + inner() + "](https://x.example/" + rapid.StringMatching(`[a-z_*]{0,9}`).Draw(t, "path") + ")"
	case 4:
		if g.code {
			return " `" + rapid.StringMatching(`[a-z*_~ ]{1,9}`).Draw(t, "code") + "` " // in a word it has no marks on WhatsApp
		}
		return inner()
	default:
		return inner() + rapid.SampledFrom([]string{" ", " ", " ", "", "\n"}).Draw(t, "gap") + inner()
	}
}

func (g generator) block(t *rapid.T, depth int) string {
	line := strings.ReplaceAll(g.inline(t, 3), "\n", " ")
	switch rapid.IntRange(0, 9).Draw(t, "block") {
	case 0:
		return "## " + line
	case 1:
		return "- " + line + "\n- " + strings.ReplaceAll(g.inner(t, depth), "\n", "\n  ")
	case 2:
		return "1. " + line + "\n2. " + strings.ReplaceAll(g.inner(t, depth), "\n", "\n   ")
	case 3:
		return "> " + strings.ReplaceAll(g.inner(t, depth), "\n", "\n> ")
	case 4:
		if g.code {
			return "```\n" + rapid.StringMatching(`[a-z*_~ \n]{1,40}`).Draw(t, "code") + "\n```"
		}
		return line
	case 5:
		cell := strings.ReplaceAll(line, "|", "")
		return "| A | " + cell + " |\n|---|---|\n| " + cell + " | 2 |\n| 3 | |"
	case 6: // long enough to be cut
		return strings.Repeat(line+" ", 1+rapid.IntRange(0, 9000/len(line)).Draw(t, "repeat"))
	default:
		return g.inline(t, 4)
	}
}

func (g generator) inner(t *rapid.T, depth int) string {
	if depth == 0 {
		return g.inline(t, 2)
	}
	return g.block(t, depth-1)
}

func (g generator) document(t *rapid.T) string {
	blocks := make([]string, rapid.IntRange(1, 6).Draw(t, "blocks"))
	for i := range blocks {
		blocks[i] = g.block(t, 2)
	}
	return strings.Join(blocks, "\n\n")
}

func TestRandomMarkdownKeepsThePromises(t *testing.T) {
	t.Parallel()
	g := generator{words: append(append([]string{}, plainWords...), markedWords...), code: true}
	rapid.Check(t, func(t *rapid.T) {
		if problem := brokenPromise(g.document(t)); problem != "" {
			t.Fatal(problem)
		}
	})
}

func TestRandomTextKeepsThePromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Repeat(rapid.String().Draw(t, "text"), rapid.IntRange(1, 300).Draw(t, "repeat"))
		if problem := brokenPromise(text); problem != "" {
			t.Fatal(problem)
		}
	})
}

// TestWhatsAppMarksNeverShow: with marks removed as a client does, the text is the one without marks.
func TestWhatsAppMarksNeverShow(t *testing.T) {
	t.Parallel()
	t.Run("NoMarksInWords", func(t *testing.T) {
		t.Parallel()
		g := generator{words: plainWords, code: true}
		rapid.Check(t, func(t *rapid.T) {
			markdown := g.document(t)
			if showsRuns(markdown, func(r run) bool {
				return r.style&(code|pre) == 0 && strings.ContainsAny(r.text, marks) || strings.Contains(r.text, codeMark)
			}) {
				return // the marks of the random text did not work as Markdown either
			}
			for _, p := range WhatsApp(markdown, false) {
				require.Equal(t, squeeze(p.Plain), squeeze(readWhatsApp(p.Text)), p.Text)
			}
		})
	})
	t.Run("MarksInWordsActAsInPlainText", func(t *testing.T) {
		t.Parallel()
		g := generator{words: append(append([]string{}, plainWords...), markedWords...)}
		rapid.Check(t, func(t *rapid.T) {
			markdown := g.document(t)
			if showsRuns(markdown, func(r run) bool { return r.style&(code|pre) != 0 }) {
				return // in code marks are text, in plain text they are not
			}
			for _, p := range WhatsApp(markdown, false) {
				require.Equal(t, squeeze(readWhatsApp(p.Plain)), squeeze(readWhatsApp(p.Text)), p.Text)
			}
		})
	})
}

// showsRuns reports whether a document has runs of a kind.
func showsRuns(markdown string, kind func(run) bool) bool {
	doc := parse(markdown)
	return slices.ContainsFunc(doc.runs(0, len(doc.text)), kind)
}

// brokenPromise renders a text every way and says what is wrong, if anything.
func brokenPromise(markdown string) string {
	doc := parse(markdown)
	shown := strings.Builder{}
	for _, r := range doc.runs(0, len(doc.text)) {
		if r.style&target == 0 {
			shown.WriteString(r.text)
		}
	}
	for _, interactive := range []bool{false, true} {
		for name, options := range shapes() {
			if problem := brokenWhatsApp(markdown, doc, interactive, options); problem != "" {
				return "whatsapp " + name + ": " + problem
			}
		}
	}
	for name, options := range shapes() {
		if problem := brokenTelegram(markdown, doc, shown.String(), options); problem != "" {
			return "telegram " + name + ": " + problem
		}
	}
	return ""
}

// shapes are the options that change where a text is cut.
func shapes() map[string][]Option {
	return map[string][]Option{"text": nil, "caption": {AsCaption()}}
}

// limits returns those of the first and the last message, and how many there may be.
func limits(options []Option) splitter {
	s := splitter{first: MaxUnits, last: MaxUnits, most: MaxParts}
	for _, o := range options {
		o(&s)
	}
	return s
}

func brokenWhatsApp(markdown string, doc document, interactive bool, options []Option) string {
	most := limits(options)
	if interactive {
		most.last = MaxInteractiveUnits
	}
	parts := WhatsApp(markdown, interactive, options...)
	if problem := brokenParts(parts, doc.text, most.most); problem != "" {
		return problem
	}
	n := len(parts)
	switch {
	case n == 0:
		return ""
	case units(parts[0].Text) > most.first:
		return "no room for the first"
	case units(parts[n-1].Text) > most.last:
		return "no room for buttons"
	case n > 1 && units(writeWhatsApp(trimmed(doc))) <= min(most.first, most.last):
		return "split though it fits"
	}
	return ""
}

func brokenTelegram(markdown string, doc document, shown string, options []Option) string {
	most := limits(options)
	parts := Telegram(markdown, options...)
	if problem := brokenParts(parts, doc.text, most.most); problem != "" {
		return problem
	}
	visible := strings.Builder{}
	for _, p := range parts {
		text, err := parseTelegramHTML(p.Text)
		if err != nil {
			return fmt.Sprintf("%v in %q", err, p.Text)
		}
		visible.WriteString(text)
	}
	switch n := len(parts); {
	case n > 0 && units(parts[0].Plain) > most.first:
		return "no room for the first"
	case n > 1 && units(writePlain(trimmed(doc))) <= most.first && len(writeTelegram(trimmed(doc))) < maxRawBytes/4:
		return "split though it fits"
	case n < most.most && !sameText(visible.String(), shown, n):
		return "visible text differs"
	}
	return ""
}

// trimmed is all that a document shows, without the white space around it.
func trimmed(doc document) []run {
	s := splitter{doc: doc}
	return doc.runs(s.skip(0), len(strings.TrimRightFunc(doc.text, unicode.IsSpace)))
}

// brokenParts checks what holds for both platforms.
func brokenParts(parts []channels.Part, whole string, most int) string {
	if len(parts) > most {
		return "too many parts"
	}
	joined := strings.Builder{}
	for _, p := range parts {
		visible, err := parseTelegramHTML(p.Text)
		if err != nil {
			visible = p.Text // WhatsApp's markup counts
		}
		switch {
		case blank(p.Text) || blank(p.Plain):
			return "blank part"
		case units(visible) > MaxUnits || units(p.Plain) > MaxUnits:
			return "too long"
		case len(p.Text) > 32<<10:
			return "too many bytes"
		case strings.ToValidUTF8(p.Text, "") != p.Text:
			return "half a character"
		}
		joined.WriteString(p.Plain)
	}
	if len(parts) == most {
		if !strings.HasPrefix(squeeze(whole), strings.TrimSuffix(squeeze(joined.String()), "…")) {
			return "not a beginning of the text"
		}
		return ""
	}
	if !blank(whole) && !sameText(joined.String(), whole, len(parts)) {
		return "text lost"
	}
	return ""
}

// sameText reports whether messages say together what they should, white space aside. A piece of several that shows nothing,
// such as a joiner alone, would be refused and is left out.
func sameText(sent, all string, parts int) bool {
	sent, all = squeeze(sent), squeeze(all)
	return sent == all || parts > 1 && showing(sent) == showing(all)
}

// showing leaves out the characters that show nothing.
func showing(s string) string {
	return strings.Map(func(r rune) rune {
		if blank(string(r)) {
			return -1
		}
		return r
	}, s)
}

func FuzzRender(f *testing.F) {
	for _, seed := range []string{
		"# a\n\n**b** _c_ ~~d~~ `e`", "> a\n> - b\n>   ```\n>   c\n>   ```", "|a|b|\n|-|-|\n|c|d|", "[a](https://x.example) ![b](c)",
		"<b>&amp;</b><br>", strings.Repeat("**a** ", 900), "a\x00\xff&#0;", strings.Repeat("👨‍👩‍👧", 700),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if problem := brokenPromise(text); problem != "" {
			t.Fatal(problem)
		}
	})
}
