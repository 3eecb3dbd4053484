package markup

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
)

const phrase = "Una frase de cuarenta y dos letras justas. " // 43 with its blank

// lengths returns the UTF-16 length of each part.
func lengths(parts []channels.Part) []int {
	out := make([]int, len(parts))
	for i, p := range parts {
		out[i] = units(p.Plain)
	}
	return out
}

func TestAnAnswerThatFitsIsOneMessage(t *testing.T) {
	t.Parallel()

	exact := strings.Repeat("ñ", MaxUnits)
	require.Equal(t, []int{MaxUnits}, lengths(Telegram(exact)))
	require.Equal(t, []int{MaxUnits}, lengths(WhatsApp(exact, false)))
	require.Equal(t, []int{MaxUnits, 1}, lengths(Telegram(exact+"ñ")))
	// WhatsApp counts the marks too.
	require.Len(t, WhatsApp("**"+exact[:2*(MaxUnits-2)]+"**", false), 1)
	require.Len(t, WhatsApp("**"+exact[:2*(MaxUnits-1)]+"**", false), 2)
}

func TestTheBestBorderOfTheSecondHalfIsTaken(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("palabra ", 400) // 3200 without a better border
	for name, c := range map[string]struct{ text, first, second string }{
		"Paragraph":                     {long + "fin.\n\nOtra frase.\nlínea " + long, "fin.", "Otra"},
		"Line":                          {long + "fin.\nOtra línea. Y " + long, "fin.", "Otra"},
		"Sentence":                      {long + "fin. Otra vez " + long, "fin.", "Otra"},
		"Word":                          {long + long, "palabra", "palabra"},
		"NotTheParagraphOfTheFirstHalf": {"uno\n\n" + strings.Repeat(phrase, 150), "justas.", "Una"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parts := Telegram(c.text)
			require.True(t, strings.HasSuffix(parts[0].Text, c.first), parts[0].Text[len(parts[0].Text)-40:])
			require.True(t, strings.HasPrefix(parts[1].Text, c.second), parts[1].Text[:40])
		})
	}
}

func TestNoCharacterIsCut(t *testing.T) {
	t.Parallel()

	for name, character := range map[string]string{
		"Astral": "😀", "Family": "👨‍👩‍👧‍👦", "Flag": "🇨🇴", "Combined": "e\u0301\u0323", "SkinTone": "👍🏽", "Hangul": "각",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := "a" + strings.Repeat(character, 5000)
			for _, parts := range [][]channels.Part{Telegram(whole), WhatsApp(whole, true)} {
				require.Greater(t, len(parts), 1)
				count := 0
				for _, p := range parts {
					count += uniseg.GraphemeClusterCount(p.Plain)
				}
				require.Equal(t, 5001, count)
			}
		})
	}
}

func TestACharacterLongerThanAMessageIsCutBetweenItsCodePoints(t *testing.T) {
	t.Parallel()

	whole := "e" + strings.Repeat("\u0301", 5000)
	parts := Telegram(whole)
	require.Equal(t, []int{MaxUnits, 5001 - MaxUnits}, lengths(parts))
	require.Equal(t, whole, parts[0].Text+parts[1].Text)
}

func TestNoWordIsCutUnlessItIsLongerThanAMessage(t *testing.T) {
	t.Parallel()

	for _, p := range Telegram(strings.Repeat("https://x.example/"+strings.Repeat("a_b-c/", 50)+" ", 40)) {
		for word := range strings.FieldsSeq(p.Plain) {
			require.Len(t, word, 318)
		}
	}
	require.Equal(t, []int{MaxUnits, 4}, lengths(Telegram(strings.Repeat("a", MaxUnits+4))))
}

func TestFormattingIsClosedBeforeACutAndReopenedAfterIt(t *testing.T) {
	t.Parallel()

	telegram := Telegram("> **" + strings.TrimSpace(strings.Repeat(phrase, 120)) + "**")
	require.Len(t, telegram, 2)
	for _, p := range telegram {
		require.True(t, strings.HasPrefix(p.Text, "<blockquote><b>Una"))
		require.True(t, strings.HasSuffix(p.Text, "justas.</b></blockquote>"))
	}
	whatsApp := WhatsApp("> **"+strings.TrimSpace(strings.Repeat(phrase, 120))+"**", false)
	require.Len(t, whatsApp, 2)
	for _, p := range whatsApp {
		require.True(t, strings.HasPrefix(p.Text, "> *Una"))
		require.True(t, strings.HasSuffix(p.Text, "justas.*"))
	}
	link := Telegram("[" + strings.Repeat("palabra ", 600) + "fin](https://x.example/a)")
	require.True(t, strings.HasSuffix(link[0].Text, "palabra</a>"))
	require.True(t, strings.HasPrefix(link[1].Text, `<a href="https://x.example/a">palabra`))
	code := Telegram("```\n" + strings.Repeat("  línea de código\n", 400) + "```")
	require.True(t, strings.HasSuffix(code[0].Text, "código</pre>"))
	require.True(t, strings.HasPrefix(code[1].Text, "<pre>  línea"), "its indentation stays")
}

func TestMarkersAndTargetsStayWithTheirWord(t *testing.T) {
	t.Parallel()

	for _, p := range WhatsApp(strings.Repeat("- "+strings.Repeat("a", 90)+"\n", 100), false) {
		require.False(t, strings.HasSuffix(p.Text, "•"))
	}
	for _, p := range WhatsApp(strings.Repeat("[palabra](https://x.example/) ", 400), false) {
		require.True(t, strings.HasPrefix(p.Text, "palabra ("))
	}
}

func TestManyMarksFitTelegramsRawLimit(t *testing.T) {
	t.Parallel()

	markdown := strings.Repeat("[a](https://x.example/?"+strings.Repeat("b&", 400)+") ", 60)
	parts := Telegram(markdown)
	for _, p := range parts {
		require.Less(t, len(p.Text), 32<<10)
	}
	require.Empty(t, brokenPromise(markdown))
}

func TestThirtyTwoPartsEndWithAnEllipsis(t *testing.T) {
	t.Parallel()

	for name, parts := range map[string][]channels.Part{
		"WhatsApp": WhatsApp(strings.Repeat(phrase, 5000), true), "Telegram": Telegram(strings.Repeat(phrase, 5000)),
	} {
		require.Len(t, parts, MaxParts, name)
		last := parts[MaxParts-1]
		require.True(t, strings.HasSuffix(last.Text, " …") && strings.HasSuffix(last.Plain, " …"), name)
	}
}

func TestACaptionIsFilledFirst(t *testing.T) {
	t.Parallel()

	exact := strings.Repeat("ñ", MaxCaptionUnits)
	require.Equal(t, []int{MaxCaptionUnits}, lengths(Telegram(exact, AsCaption())))
	require.Equal(t, []int{MaxCaptionUnits}, lengths(WhatsApp(exact, true, AsCaption())))
	require.Equal(t, []int{MaxCaptionUnits, 1}, lengths(Telegram(exact+"ñ", AsCaption())))
	require.Equal(t, []int{MaxCaptionUnits, MaxUnits, 1}, lengths(Telegram(strings.Repeat("ñ", MaxCaptionUnits+MaxUnits+1), AsCaption())))
	require.Len(t, WhatsApp("**"+exact[:2*(MaxCaptionUnits-2)]+"**", false, AsCaption()), 1, "WhatsApp counts the marks too")
	require.Len(t, WhatsApp("**"+exact[:2*(MaxCaptionUnits-1)]+"**", false, AsCaption()), 2)
}

func TestFormattingGoesOnAfterACaption(t *testing.T) {
	t.Parallel()

	parts := Telegram("**"+strings.TrimSpace(strings.Repeat(phrase, 40))+"**", AsCaption())
	require.Len(t, parts, 2)
	for _, p := range parts {
		require.True(t, strings.HasPrefix(p.Text, "<b>Una") && strings.HasSuffix(p.Text, "justas.</b>"), p.Text)
	}
}

func TestMessagesBeforeATextCountAmongThe32(t *testing.T) {
	t.Parallel()

	parts := Telegram(strings.Repeat(phrase, 5000), After(1))
	require.Len(t, parts, MaxParts-1)
	require.True(t, strings.HasSuffix(parts[MaxParts-2].Text, " …"))
}

func TestShorten(t *testing.T) {
	t.Parallel()

	require.Equal(t, "corto", Shorten("corto", 5))
	require.Equal(t, "cort…", Shorten("cortos", 5))
	require.Equal(t, "a…", Shorten("a 👨‍👩‍👧‍👦", 5))
}

func ExampleWhatsApp() {
	for _, part := range WhatsApp("## Envíos\n\n- **Península:** 4,95 €\n- [Más](https://tienda.example/envios)", false) {
		fmt.Println(part.Text)
	}
	// Output:
	// *Envíos*
	//
	// • *Península:* 4,95 €
	// • Más (https://tienda.example/envios)
}

func ExampleTelegram() {
	for _, part := range Telegram("## Envíos\n\n- **Península:** 4,95 €\n- [Más](https://tienda.example/envios)") {
		fmt.Println(part.Text)
	}
	// Output:
	// <b>Envíos</b>
	//
	// • <b>Península:</b> 4,95 €
	// • <a href="https://tienda.example/envios">Más</a>
}
