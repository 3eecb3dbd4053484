package markup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCases replays testdata/cases: one file per case, with what a model writes and what each platform gets.
func TestCases(t *testing.T) {
	t.Parallel()

	files, err := filepath.Glob("testdata/cases/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			sections := readCase(t, file)

			whatsApp := WhatsApp(sections["markdown"], false)
			require.Len(t, whatsApp, 1)
			require.Equal(t, sections["whatsapp"], whatsApp[0].Text)

			telegram := Telegram(sections["markdown"])
			require.Len(t, telegram, 1)
			require.Equal(t, sections["telegram"], telegram[0].Text)
			_, err := parseTelegramHTML(telegram[0].Text)
			require.NoError(t, err)
			require.Equal(t, whatsApp[0].Plain, telegram[0].Plain)
		})
	}
}

// readCase splits a file at its "--- name" lines.
func readCase(t *testing.T, file string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	sections := map[string]string{}
	for section := range strings.SplitSeq("\n"+string(content), "\n--- ") {
		if name, body, ok := strings.Cut(section, "\n"); ok {
			sections[name] = strings.TrimSuffix(body, "\n")
		}
	}
	require.Len(t, sections, 3)
	return sections
}

func TestBlankInputHasNoParts(t *testing.T) {
	t.Parallel()

	for _, blank := range []string{"", " ", "\n\t\r\n", "\x00\x01", "\u200B\u200E", "\u00A0"} {
		require.Empty(t, WhatsApp(blank, true), "%q", blank)
		require.Empty(t, Telegram(blank), "%q", blank)
	}
}

func TestControlCharactersAndBrokenUTF8AreCleaned(t *testing.T) {
	t.Parallel()

	const hostileText = "a\x00b\xffc\x1b[0m\r\nd &#0; &#27; &#xD800;"
	require.Equal(t, "ab\uFFFDc[0m\nd \uFFFD  \uFFFD", WhatsApp(hostileText, false)[0].Text)
	require.Equal(t, "ab\uFFFDc[0m\nd \uFFFD  \uFFFD", Telegram(hostileText)[0].Text)
}

// TestHostileInputIsShownAsItIs holds texts that take goldmark seconds or gigabytes; the test ends at once or not at all.
func TestHostileInputIsShownAsItIs(t *testing.T) {
	t.Parallel()

	const size = 100_000
	for name, text := range map[string]string{
		"NestedQuotes":   strings.Repeat(">", size) + "a",
		"NestedLists":    strings.Repeat("- ", size) + "a",
		"WideTable":      strings.Repeat("|a", size/4) + "|\n" + strings.Repeat("|-", size/4) + "|\n" + strings.Repeat("|\n", size/4),
		"NestedNumbers":  strings.Repeat("1. ", size) + "a",
		"LinksBegun":     strings.Repeat("[a](", size/4),
		"EmphasisBegun":  strings.Repeat("a**b_c~", size/7),
		"DeepIndented":   strings.Repeat(strings.Repeat(" ", 400)+"- a\n", size/400),
		"NothingButTabs": strings.Repeat("\t", size) + "a",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.True(t, hostile(text))
			require.NotEmpty(t, WhatsApp(text, false))
			parts := Telegram(text)
			require.NotEmpty(t, parts)
			require.LessOrEqual(t, len(parts), MaxParts)
		})
	}
}

func TestOrdinaryTextIsNotHostile(t *testing.T) {
	t.Parallel()

	for _, text := range []string{
		strings.Repeat("-", 500), strings.Repeat("*", 500), strings.Repeat("=", 500), strings.Repeat(" ", 100) + "a", "1234567890",
		strings.Repeat("> > - a\n", 500), strings.Repeat("|a|b|c|\n", 500), "|a|b|\n|-|-|\n" + strings.Repeat("|1|2|\n", 500),
	} {
		require.False(t, hostile(text), "%.20q", text)
	}
}
