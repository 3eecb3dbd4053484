package whatsapp_test

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/whatsapp"
)

func replace(pattern, source string) string { return strings.Replace(pattern, "%s", source, 1) }

func units(s string) int { return len(utf16.Encode([]rune(s))) }

// pictured is a content with an image, or another kind of file.
func pictured(markdown string, kind channels.MediaKind, buttons ...string) channels.Content {
	return channels.Content{
		Markdown: markdown, Buttons: withButtons("", buttons...).Part.Buttons,
		Attachment: channels.Attachment{Media: &channels.Media{Kind: kind, ID: "f"}},
	}
}

// shape says of each message what it holds: file, text, buttons.
func shape(parts []channels.Part) []string {
	out := make([]string, len(parts))
	for i, p := range parts {
		var has []string
		if p.Media != nil {
			has = append(has, "file")
		}
		if p.Text != "" {
			has = append(has, "text")
		}
		if len(p.Buttons) > 0 {
			has = append(has, "buttons")
		}
		out[i] = strings.Join(has, "+")
	}
	return out
}

func TestRenderMakesAsFewMessagesAsItCan(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("Una frase bastante larga. ", 60) // 1560
	for name, c := range map[string]struct {
		content channels.Content
		want    []string
	}{
		"FileAlone":             {pictured("", channels.MediaImage), []string{"file"}},
		"BlankCaption":          {pictured(" \n", channels.MediaVideo), []string{"file"}},
		"Caption":               {pictured("**Hola**", channels.MediaImage), []string{"file+text"}},
		"CaptionAtItsLimit":     {pictured(strings.Repeat("ñ", 1024), channels.MediaDocument), []string{"file+text"}},
		"LongCaption":           {pictured(long, channels.MediaImage), []string{"file+text", "text"}},
		"VoiceHasNoCaption":     {pictured("Hola", channels.MediaVoice), []string{"file", "text"}},
		"AudioHasNoCaption":     {pictured("Hola", channels.MediaAudio, "Sí"), []string{"file", "text+buttons"}},
		"ButtonsUnderAFile":     {pictured("¿Este?", channels.MediaImage, "Sí", "No"), []string{"file+text+buttons"}},
		"ButtonsUnderALongText": {pictured(long, channels.MediaImage, "Sí", "No"), []string{"file+text", "text+buttons"}},
		"ListUnderAFile":        {pictured("¿Cuál?", channels.MediaImage, titles(4, "N")...), []string{"file", "text+buttons"}},
		"NumberedUnderAFile":    {pictured("¿Cuál?", channels.MediaImage, titles(11, "N")...), []string{"file+text"}},
		"ButtonsWithoutText":    {pictured(" ", channels.MediaImage, "Sí"), []string{}},
		"VoiceButtonsAndNoText": {pictured(" ", channels.MediaVoice, "Sí"), []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parts := whatsapp.Render(c.content)
			require.Equal(t, c.want, shape(parts))
			for _, p := range parts {
				if p.Media != nil || len(p.Buttons) > 0 {
					require.LessOrEqual(t, units(p.Text), 1024)
				}
			}
		})
	}
}

func TestRenderPutsListsAndRequestsUnderTheLastText(t *testing.T) {
	t.Parallel()

	list := channels.Attachment{List: &channels.List{Sections: []channels.ListSection{{Rows: []channels.ListRow{{ID: "a", Title: "A"}}}}}}
	for _, a := range []channels.Attachment{list, {ContactRequest: &channels.ContactRequest{}}} {
		parts := whatsapp.Render(channels.Content{Markdown: strings.Repeat("Una frase bastante larga. ", 60), Attachment: a})
		require.Len(t, parts, 2)
		require.Zero(t, parts[0].Attachment)
		require.Equal(t, a, parts[1].Attachment)
		require.LessOrEqual(t, units(parts[1].Text), 1024)
		require.Empty(t, whatsapp.Render(channels.Content{Markdown: "\x00", Attachment: a}))
	}
}

func TestRenderOfAReactionIsNothingElse(t *testing.T) {
	t.Parallel()

	a := channels.Attachment{Reaction: &channels.Reaction{MessageID: "wamid.IN", Emoji: "👍"}}
	require.Equal(t, []channels.Part{{Attachment: a}}, whatsapp.Render(channels.Content{Attachment: a}))
}

func TestRenderNeverMakesMoreThan32Messages(t *testing.T) {
	t.Parallel()

	endless := strings.Repeat("Una frase bastante larga. ", 20_000)
	for _, kind := range []channels.MediaKind{channels.MediaVoice, channels.MediaImage} {
		parts := whatsapp.Render(pictured(endless, kind))
		require.Len(t, parts, 32)
		require.NotNil(t, parts[0].Media)
		require.True(t, strings.HasSuffix(parts[31].Text, " …"))
	}
}
