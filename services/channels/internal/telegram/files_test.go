package telegram_test

import (
	"errors"
	"path"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
	"github.com/knobot/knobot/services/channels/internal/fakeapi"
	"github.com/knobot/knobot/services/channels/internal/telegram"
)

// withFile is a message with a file.
func withFile(caption string, m channels.Media) channels.SendRequest {
	r := html(caption)
	r.Part.Media = &m
	return r
}

// setupStored is setup with a library that holds one file.
func setupStored(t *testing.T, answers ...fakeapi.Answer) (*fakeapi.Server, *channelstest.Library, *telegram.Client) {
	t.Helper()
	library := channelstest.NewLibrary()
	library.Put(channels.StoredFile{ID: "f", MIMEType: "application/pdf", Filename: "manual.pdf"}, "bytes")
	server := fakeapi.New(t, answers...)
	t.Cleanup(func() { checkCalls(t, server.Calls()) })
	return server, library, telegram.New(telegram.Config{BaseURL: server.URL, Media: library})
}

func TestEachKindOfFileHasItsMethod(t *testing.T) {
	t.Parallel()

	for kind, want := range map[channels.MediaKind]struct{ method, field string }{
		channels.MediaImage: {"sendPhoto", "photo"}, channels.MediaVideo: {"sendVideo", "video"}, channels.MediaAudio: {"sendAudio", "audio"},
		channels.MediaVoice: {"sendVoice", "voice"}, channels.MediaDocument: {"sendDocument", "document"}, channels.MediaSticker: {"sendSticker", "sticker"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			caption := "<b>Así</b>"
			said := `,"caption":"<b>Así</b>","parse_mode":"HTML"`
			if kind == channels.MediaSticker {
				caption, said = "", ""
			}
			server, _, client := setupStored(t, sentMessage())
			id, err := client.Send(t.Context(), credentials(), withFile(caption, channels.Media{Kind: kind, URL: "https://example.com/a"}))
			require.NoError(t, err)
			require.Equal(t, "101", id)
			byURL := server.Only(t)
			require.Equal(t, want.method, path.Base(byURL.Path))
			require.JSONEq(t, `{"chat_id":8123456789,"`+want.field+`":"https://example.com/a"`+said+`}`, string(byURL.Raw))

			_, err = client.Send(t.Context(), credentials(), withFile(caption, channels.Media{Kind: kind, ID: "f"}))
			require.NoError(t, err)
			stored := server.Calls()[1]
			require.Equal(t, want.method, path.Base(stored.Path))
			require.Equal(t, map[string]fakeapi.File{
				want.field: {Name: "manual.pdf", MIMEType: "application/pdf", Content: "bytes"},
			}, stored.Files)
			require.InDelta(t, chatID, stored.Body["chat_id"], 0)
		})
	}
}

func TestFileTakesEverythingThatATextTakes(t *testing.T) {
	t.Parallel()

	server, _, client := setupStored(t, sentMessage())
	r := withFile("Hola", channels.Media{Kind: channels.MediaDocument, ID: "f", Filename: "otro.pdf"})
	r.Address.Telegram = &channels.TelegramChat{ID: -1001234567890, ThreadID: 7, BusinessConnectionID: "bc1"}
	r.ReplyTo = "42"
	r.Part.Buttons = [][]channels.Button{{{ID: "si", Title: "Sí"}}}
	_, err := client.Send(t.Context(), credentials(), r)
	require.NoError(t, err)
	call := server.Only(t)
	require.Equal(t, "otro.pdf", call.Files["document"].Name)
	require.Equal(t, map[string]any{
		"chat_id": float64(-1001234567890), "message_thread_id": float64(7), "business_connection_id": "bc1",
		"caption": "Hola", "parse_mode": "HTML",
		"reply_parameters": map[string]any{"message_id": float64(42), "allow_sending_without_reply": true},
		"reply_markup":     map[string]any{"inline_keyboard": []any{[]any{map[string]any{"text": "Sí", "callback_data": "si"}}}},
	}, call.Body)
}

func TestCaptionGivesWayToPlainTextAndTheFileIsReadAgain(t *testing.T) {
	t.Parallel()

	for name, m := range map[string]channels.Media{
		"Stored": {Kind: channels.MediaDocument, ID: "f"}, "ByURL": {Kind: channels.MediaDocument, URL: "https://example.com/a.pdf"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, _, client := setupStored(t, refused(400, "Bad Request: can't parse entities: x"), sentMessage())
			_, err := client.Send(t.Context(), credentials(), withFile("<x>", m))
			require.NoError(t, err)
			second := server.Calls()[1]
			require.Equal(t, "plain", second.Body["caption"])
			require.NotContains(t, second.Body, "parse_mode")
			require.NotContains(t, second.Body, "text")
			if m.ID != "" {
				require.Equal(t, "bytes", second.Files["document"].Content)
			}
		})
	}
}

func TestFileThatCannotBeOpenedIsNotSent(t *testing.T) {
	t.Parallel()

	server, library, client := setupStored(t, sentMessage())
	_, err := client.Send(t.Context(), credentials(), withFile("", channels.Media{Kind: channels.MediaImage, ID: "gone"}))
	require.Equal(t, channels.ClassInvalid, failure(t, err).Class)
	require.ErrorIs(t, err, channels.ErrMediaNotFound)
	_, err = client.Send(t.Context(), credentials(), withFile("", channels.Media{Kind: "hologram", ID: "f"}))
	require.Equal(t, channels.ClassInvalid, failure(t, err).Class)
	_, err = client.Send(t.Context(), channels.Credentials{BotToken: "CANARY"}, withFile("", channels.Media{Kind: channels.MediaImage, ID: "f"}))
	require.Equal(t, channels.ClassStopIntegration, failure(t, err).Class)
	library.Fail(errors.New("bucket away"))
	_, err = client.Send(t.Context(), credentials(), withFile("", channels.Media{Kind: channels.MediaImage, ID: "f"}))
	require.Equal(t, channels.ClassRetry, failure(t, err).Class)
	require.Empty(t, server.Calls())
}

func TestLostUploadIsInDoubt(t *testing.T) {
	t.Parallel()

	_, _, client := setupStored(t, fakeapi.Cut())
	_, err := client.Send(t.Context(), credentials(), withFile("", channels.Media{Kind: channels.MediaImage, ID: "f"}))
	require.Equal(t, channels.ClassInDoubt, failure(t, err).Class, "unlike WhatsApp's, it is the message itself")
}

func TestReactionIsSetAndTakenAway(t *testing.T) {
	t.Parallel()

	for emoji, want := range map[string]string{"👍": `[{"type":"emoji","emoji":"👍"}]`, "": `[]`} {
		server, client := setup(t, ok("true"))
		r := html("")
		r.Part = channels.Part{Attachment: channels.Attachment{Reaction: &channels.Reaction{MessageID: "42", Emoji: emoji}}}
		id, err := client.Send(t.Context(), credentials(), r)
		require.NoError(t, err)
		require.Empty(t, id, "Telegram gives a reaction none")
		require.Equal(t, "setMessageReaction", path.Base(server.Only(t).Path))
		require.JSONEq(t, `{"chat_id":8123456789,"message_id":42,"reaction":`+want+`}`, string(server.Only(t).Raw))
	}
	server, client := setup(t, ok("true"))
	r := html("")
	r.Part.Reaction = &channels.Reaction{MessageID: "wamid.X", Emoji: "👍"}
	_, err := client.Send(t.Context(), credentials(), r)
	require.Equal(t, channels.ClassInvalid, failure(t, err).Class)
	require.Empty(t, server.Calls())
}

func TestContactRequestIsAKeyboardForOnce(t *testing.T) {
	t.Parallel()

	for title, want := range map[string]string{"": "Compartir mi número", "Mi teléfono": "Mi teléfono"} {
		server, client := setup(t, sentMessage())
		r := html("¿Nos da su número?")
		r.Part.ContactRequest = &channels.ContactRequest{ButtonTitle: title}
		_, err := client.Send(t.Context(), credentials(), r)
		require.NoError(t, err)
		require.Equal(t, map[string]any{
			"keyboard":        []any{[]any{map[string]any{"text": want, "request_contact": true}}},
			"resize_keyboard": true, "one_time_keyboard": true,
		}, server.Only(t).Body["reply_markup"])
	}
}

func TestRenderPutsTheChoicesOfAListInRows(t *testing.T) {
	t.Parallel()

	parts := telegram.Render(channels.Content{Markdown: "**Elige**", Attachment: channels.Attachment{List: &channels.List{
		ButtonTitle: "Ver", Sections: []channels.ListSection{
			{Title: "Temas", Rows: []channels.ListRow{{ID: "r1", Title: "Envíos", Description: "Plazos"}, {ID: "r2", Title: "Pagos"}}},
			{Title: "Otros", Rows: []channels.ListRow{{ID: "r3", Title: "Tallas"}}},
		},
	}}})
	require.Equal(t, []channels.Part{{Text: "<b>Elige</b>", Plain: "Elige", Buttons: [][]channels.Button{
		{{ID: "r1", Title: "Envíos"}}, {{ID: "r2", Title: "Pagos"}}, {{ID: "r3", Title: "Tallas"}},
	}}}, parts)
}

func TestRenderOfACaption(t *testing.T) {
	t.Parallel()

	file := channels.Attachment{Media: &channels.Media{Kind: channels.MediaVoice, ID: "f"}}
	buttons := [][]channels.Button{{{ID: "a", Title: "A"}}}
	require.Equal(t, []channels.Part{{Attachment: file}}, telegram.Render(channels.Content{Markdown: " \n", Attachment: file}))
	require.Empty(t, telegram.Render(channels.Content{Markdown: " \n", Attachment: file, Buttons: buttons}))

	short := telegram.Render(channels.Content{Markdown: strings.Repeat("ñ", 1024), Attachment: file, Buttons: buttons})
	require.Len(t, short, 1, "one message where it fits")
	require.Equal(t, file, short[0].Attachment)
	require.Equal(t, buttons, short[0].Buttons)

	long := telegram.Render(channels.Content{Markdown: strings.Repeat("Una frase bastante larga. ", 200), Attachment: file, Buttons: buttons})
	require.Len(t, long, 3) // 1024, 4096 and what is left of 5200
	require.LessOrEqual(t, len(utf16.Encode([]rune(long[0].Text))), 1024)
	require.Equal(t, file, long[0].Attachment)
	require.Zero(t, long[1].Attachment)
	require.Equal(t, buttons, long[2].Buttons)
	require.Empty(t, long[0].Buttons)

	request := channels.Attachment{ContactRequest: &channels.ContactRequest{}}
	require.Equal(t, request, telegram.Render(channels.Content{Markdown: "Hola", Attachment: request})[0].Attachment)
	react := channels.Attachment{Reaction: &channels.Reaction{MessageID: "1", Emoji: "👍"}}
	require.Equal(t, []channels.Part{{Attachment: react}}, telegram.Render(channels.Content{Attachment: react}))
}
