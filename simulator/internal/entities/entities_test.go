package entities_test

import (
	"html"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/entities"
)

func TestHTML(t *testing.T) {
	t.Parallel()
	type entity = simulator.Entity
	accepted := map[string]struct {
		source, text string
		entities     []entity
	}{
		"PlainText":              {"hola", "hola", nil},
		"Bold":                   {"<b>Hola</b> &amp; adiós", "Hola & adiós", []entity{{Type: "bold", Length: 4}}},
		"OffsetsCountUTF16":      {"👍 <i>ñ👍</i>", "👍 ñ👍", []entity{{Type: "italic", Offset: 3, Length: 3}}},
		"NestedTags":             {"<b>a<i>b</i></b>", "ab", []entity{{Type: "bold", Length: 2}, {Type: "italic", Offset: 1, Length: 1}}},
		"TagsIgnoreCase":         {"<STRONG>a</strong>", "a", []entity{{Type: "bold", Length: 1}}},
		"Link":                   {`<a href="https://x.co/?a=1&amp;b=2">x</a>`, "x", []entity{{Type: "text_link", Length: 1, URL: "https://x.co/?a=1&b=2"}}},
		"LinkToNowhereIsText":    {`<a href="nowhere">x</a>`, "x", nil},
		"CodeWithLanguage":       {`<pre><code class="language-go">a</code></pre>`, "a", []entity{{Type: "pre", Length: 1, Language: "go"}}},
		"NothingNestsInCode":     {"<code>a<b>b</b></code>", "ab", []entity{{Type: "code", Length: 2}}},
		"ExpandableQuotation":    {"<blockquote expandable>a</blockquote>", "a", []entity{{Type: "expandable_blockquote", Length: 1}}},
		"Spoilers":               {`<span class="tg-spoiler">a</span>`, "a", []entity{{Type: "spoiler", Length: 1}}},
		"EndTagWithoutName":      {"<b>a</>", "a", []entity{{Type: "bold", Length: 1}}},
		"NumericReferences":      {"&#241;&#xf1;&lt;", "ññ<", nil},
		"UnknownReferenceStays":  {"a &copy; & b", "a &copy; & b", nil},
		"SpaceIsTrimmedAround":   {" \n<b> a </b>\n", "a", []entity{{Type: "bold", Length: 1}}},
		"EmptyEntitiesVanish":    {"<b></b>a", "a", nil},
		"QuotesAroundAttributes": {"<a href='https://x.co' >x</a>", "x", []entity{{Type: "text_link", Length: 1, URL: "https://x.co"}}},
	}
	for name, c := range accepted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, found, err := entities.HTML(c.source)
			require.NoError(t, err)
			require.Equal(t, c.text, text)
			require.ElementsMatch(t, c.entities, found)
		})
	}
	refused := map[string]struct{ source, reason string }{
		"UnknownTag":          {"a<br>b", `Unsupported start tag "br" at byte offset 1`},
		"BareAngle":           {"1 < 2", `Unsupported start tag "" at byte offset 2`},
		"AngleAtTheEnd":       {"ñ <", "Unclosed start tag at byte offset 3"},
		"OpenBold":            {"<b>a", `Can't find end tag corresponding to start tag "b"`},
		"CrossedTags":         {"<b><i>a</b></i>", `Unmatched end tag at byte offset 7, expected "</i>", found "</b>"`},
		"EndWithoutStart":     {"a</b>", "Unexpected end tag at byte offset 1"},
		"UnclosedEnd":         {"<b>a</b", "Unclosed end tag at byte offset 4"},
		"AttributeAlone":      {"<a href>x</a>", `Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0`},
		"SpanOfAnotherClass":  {`<span class="x">a</span>`, `Tag "span" must have class "tg-spoiler" at byte offset 0`},
		"AttributeNotClosed":  {`<a href="x`, "Unclosed start tag at byte offset 0"},
		"UnquotedAddress":     {`<a href=https://x.co>x</a>`, "Unexpected end of name token at byte offset 8"},
		"TableIsNoTag":        {"<table>", `Unsupported start tag "table" at byte offset 0`},
		"HeadingIsNoTag":      {"<h1>a</h1>", `Unsupported start tag "h1" at byte offset 0`},
		"SelfClosingIsNoTag":  {"<b/>", `Unsupported start tag "b/" at byte offset 0`},
		"TagThatNeverCloses":  {"<b ", `Unclosed start tag "b" at byte offset 0`},
		"AttributeWithoutKey": {`<a ="x">a</a>`, `Empty attribute name in the tag "a" at byte offset 0`},
	}
	for name, c := range refused {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := entities.HTML(c.source)
			require.EqualError(t, err, c.reason)
		})
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()

	t.Run("V2WantsReservedCharactersEscaped", func(t *testing.T) {
		t.Parallel()
		text, found, err := entities.MarkdownV2(`*Precio*: 10\.50`)
		require.NoError(t, err)
		require.Equal(t, "Precio: 10.50", text)
		require.Equal(t, []simulator.Entity{{Type: "bold", Length: 6}}, found)
		_, _, err = entities.MarkdownV2("Precio: 10.50")
		require.EqualError(t, err, `Character '.' is reserved and must be escaped with the preceding '\'`)
	})

	t.Run("V2FindsWhatNeverEnds", func(t *testing.T) {
		t.Parallel()
		_, _, err := entities.MarkdownV2("*hola")
		require.EqualError(t, err, "Can't find end of Bold entity at byte offset 0")
		_, _, err = entities.MarkdownV2("a `b")
		require.EqualError(t, err, "Can't find end of Code entity at byte offset 2")
	})

	t.Run("V2ReadsLinksAndCode", func(t *testing.T) {
		t.Parallel()
		text, found, err := entities.MarkdownV2("[x](https://x\\.co) ```go\na.b\n```")
		require.NoError(t, err)
		require.Equal(t, "x a.b", text)
		require.Equal(t, []simulator.Entity{
			{Type: "text_link", Length: 1, URL: "https://x.co"}, {Type: "pre", Offset: 2, Length: 3, Language: "go"},
		}, found)
	})

	t.Run("TheOldOneStumblesOverSnakeCase", func(t *testing.T) {
		t.Parallel()
		_, _, err := entities.Markdown("un nombre_raro")
		require.EqualError(t, err, "Can't find end of Italic entity at byte offset 9")
		text, found, err := entities.Markdown("*a* [b](https://b.co) `c`")
		require.NoError(t, err)
		require.Equal(t, "a b c", text)
		require.Len(t, found, 3)
	})
}

func TestLengthCountsUTF16(t *testing.T) {
	t.Parallel()
	require.Equal(t, 4, entities.Length("ñ👍a"))
}

// FuzzEscapedTextSurvives: whatever is escaped comes out as it was.
func FuzzEscapedTextSurvives(f *testing.F) {
	f.Add("hola <b> & \"adiós\" 👍")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			t.Skip("the server wants UTF-8")
		}
		plain, found, err := entities.HTML(html.EscapeString(text))
		require.NoError(t, err)
		require.Empty(t, found)
		require.Equal(t, entities.Trim(text), plain)
	})
}

// FuzzHTMLStaysInBounds: any source is refused or gives entities inside the
// text.
func FuzzHTMLStaysInBounds(f *testing.F) {
	f.Add("<b>a<i>👍</i></b><a href='x.co'>x</a>")
	f.Fuzz(func(t *testing.T, source string) {
		text, found, err := entities.HTML(source)
		if err != nil {
			return
		}
		for _, e := range found {
			require.Positive(t, e.Length)
			require.GreaterOrEqual(t, e.Offset, 0)
			require.LessOrEqual(t, e.Offset+e.Length, entities.Length(text))
		}
	})
}
