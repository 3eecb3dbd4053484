package whatsapp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/whatsapp"
)

// titles returns n numbered titles.
func titles(n int, title string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s %d", title, i+1)
	}
	return out
}

// withButtons is a message with one button a row.
func withButtons(body string, titles ...string) channels.SendRequest {
	r := text(body)
	for i, title := range titles {
		r.Part.Buttons = append(r.Part.Buttons, []channels.Button{{ID: fmt.Sprintf("opt%d", i+1), Title: title}})
	}
	return r
}

func interactiveOf(t *testing.T, r channels.SendRequest) map[string]any {
	t.Helper()
	sent := sent(t, r)
	require.Equal(t, "interactive", sent["type"])
	interactive, ok := sent["interactive"].(map[string]any)
	require.True(t, ok)
	return interactive
}

func TestFourToTenButtonsBecomeAList(t *testing.T) {
	t.Parallel()

	for _, n := range []int{4, 10} {
		interactive := interactiveOf(t, withButtons("Elige", titles(n, "Opción")...))
		require.Equal(t, "list", interactive["type"])
		action, ok := interactive["action"].(map[string]any)
		require.True(t, ok)
		require.Equal(t, "Ver opciones", action["button"])
		sections, ok := action["sections"].([]any)
		require.True(t, ok)
		require.Len(t, sections, 1)
		section, ok := sections[0].(map[string]any)
		require.True(t, ok)
		require.Len(t, section["rows"], n)
	}
}

func TestTitlesAreCutBetweenCharacters(t *testing.T) {
	t.Parallel()

	family := "👨‍👩‍👧‍👦" // 11 code units
	interactive := interactiveOf(t, withButtons("Elige", "Devolver un pedido entero", family+family, "justo veinte letras."))
	require.JSONEq(t, `{"type":"button","body":{"text":"Elige"},"action":{"buttons":[
		{"type":"reply","reply":{"id":"opt1","title":"Devolver un pedido…"}},
		{"type":"reply","reply":{"id":"opt2","title":"`+family+`…"}},
		{"type":"reply","reply":{"id":"opt3","title":"justo veinte letras."}}]}}`, jsonOf(t, interactive))
}

func TestRenderKeepsRoomForButtons(t *testing.T) {
	t.Parallel()

	buttons := withButtons("", titles(3, "Opción")...).Part.Buttons
	parts := whatsapp.Render(channels.Content{Markdown: strings.Repeat("Una frase bastante larga. ", 100), Buttons: buttons})
	require.Len(t, parts, 2)
	require.Empty(t, parts[0].Buttons)
	require.Equal(t, buttons, parts[1].Buttons)
	require.LessOrEqual(t, len(parts[1].Text), 1024)
}

func TestMoreThanTenButtonsBecomeNumberedText(t *testing.T) {
	t.Parallel()

	parts := whatsapp.Render(channels.Content{Markdown: "Elige", Buttons: withButtons("", titles(11, "Opción *")...).Part.Buttons})
	require.Len(t, parts, 1)
	require.Empty(t, parts[0].Buttons)
	require.True(t, strings.HasPrefix(parts[0].Text, "Elige\n\n1. Opción * 1\n2. Opción * 2\n"), parts[0].Text)
	require.True(t, strings.HasSuffix(parts[0].Text, "\n11. Opción * 11"))
}

func TestRenderOfNothingIsNothing(t *testing.T) {
	t.Parallel()

	require.Empty(t, whatsapp.Render(channels.Content{Markdown: " \n", Buttons: withButtons("", "Opción").Part.Buttons}))
}
