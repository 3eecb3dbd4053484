package whatsapp_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/channelstest"
	"github.com/knobot/knobot/services/channels/internal/fakeapi"
	"github.com/knobot/knobot/services/channels/internal/whatsapp"
)

const kept = `{"id":"1013859600285441"}`

// carrying is a message with an attachment.
func carrying(text string, a channels.Attachment) channels.SendRequest {
	return channels.SendRequest{Address: to("573001234567", ""), Part: channels.Part{Text: text, Attachment: a}}
}

func withFile(text string, m channels.Media) channels.SendRequest {
	return carrying(text, channels.Attachment{Media: &m})
}

// library holds a file of each kind.
func library() *channelstest.Library {
	l := channelstest.NewLibrary()
	for id, mimeType := range map[string]string{
		"jpeg": "image/jpeg", "mp4": "video/mp4", "mp3": "audio/mpeg", "ogg": "audio/ogg; codecs=opus", "pdf": "application/pdf", "webp": "image/webp",
	} {
		l.Put(channels.StoredFile{ID: id, MIMEType: mimeType, Filename: "archivo." + id}, "bytes of "+id)
	}
	return l
}

// sendStored makes one send with a library.
func sendStored(t *testing.T, l channels.MediaLibrary, r channels.SendRequest, answers ...fakeapi.Answer) (*fakeapi.Server, error) {
	t.Helper()
	server := fakeapi.New(t, answers...)
	_, err := whatsapp.New(whatsapp.Config{BaseURL: server.URL, Media: l}).Send(t.Context(), credentials(), r)
	return server, err
}

func TestEachKindOfFileIsSentByLinkOrID(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		kind     channels.MediaKind
		id       string
		caption  string
		wantType string
		want     string
	}{
		"Image":    {channels.MediaImage, "jpeg", "Foto", "image", `{%s,"caption":"Foto"}`},
		"Video":    {channels.MediaVideo, "mp4", "Vídeo", "video", `{%s,"caption":"Vídeo"}`},
		"Document": {channels.MediaDocument, "pdf", "Manual", "document", `{%s,"caption":"Manual","filename":"manual.pdf"}`},
		"Audio":    {channels.MediaAudio, "mp3", "", "audio", `{%s}`},
		"Voice":    {channels.MediaVoice, "ogg", "", "audio", `{%s}`},
		"Sticker":  {channels.MediaSticker, "webp", "", "sticker", `{%s}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := func(source string) string {
				file := replace(c.want, source)
				return `{"messaging_product":"whatsapp","recipient_type":"individual","to":"+573001234567","type":"` + c.wantType + `","` + c.wantType + `":` + file + `}`
			}
			link := withFile(c.caption, channels.Media{Kind: c.kind, URL: "https://example.com/a", Filename: "manual.pdf"})
			require.JSONEq(t, body(`"link":"https://example.com/a"`), jsonOf(t, sent(t, link)))

			server, err := sendStored(t, library(), withFile(c.caption, channels.Media{Kind: c.kind, ID: c.id, Filename: "manual.pdf"}),
				fakeapi.Answer{Status: 200, Body: kept}, fakeapi.Answer{Status: 200, Body: accepted})
			require.NoError(t, err)
			require.Len(t, server.Calls(), 2)
			require.JSONEq(t, body(`"id":"1013859600285441"`), string(server.Calls()[1].Raw))
		})
	}
}

func TestStoredFileIsHandedOverFirst(t *testing.T) {
	t.Parallel()

	server, err := sendStored(t, library(), withFile("", channels.Media{Kind: channels.MediaVoice, ID: "ogg"}),
		fakeapi.Answer{Status: 200, Body: kept}, fakeapi.Answer{Status: 200, Body: accepted})
	require.NoError(t, err)
	upload := server.Calls()[0]
	require.Equal(t, "/v26.0/106540352242922/media", upload.Path)
	require.Equal(t, "Bearer EAACANARY", upload.Header.Get("Authorization"))
	require.Equal(t, map[string]any{"messaging_product": "whatsapp", "type": "audio/ogg; codecs=opus"}, upload.Body)
	require.Equal(t, map[string]fakeapi.File{
		"file": {Name: "archivo.ogg", MIMEType: "audio/ogg; codecs=opus", Content: "bytes of ogg"},
	}, upload.Files)
}

func TestFailedHandOverIsNeverInDoubt(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		answer fakeapi.Answer
		want   channels.Class
	}{
		"Lost":       {fakeapi.Cut(), channels.ClassRetry},
		"Unreadable": {fakeapi.Answer{Status: 200, Body: `{}`}, channels.ClassRetry},
		"HTML":       {fakeapi.Answer{Status: 502, Body: `<html>`}, channels.ClassRetry},
		"Throttled":  {fakeapi.Answer{Status: 400, Body: `{"error":{"message":"x","code":80007}}`}, channels.ClassThrottled},
		"Token":      {fakeapi.Answer{Status: 401, Body: `{"error":{"message":"bad EAACANARY","code":190}}`}, channels.ClassStopIntegration},
		"BadFile":    {fakeapi.Answer{Status: 400, Body: `{"error":{"message":"x","code":131053}}`}, channels.ClassInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, err := sendStored(t, library(), withFile("", channels.Media{Kind: channels.MediaImage, ID: "jpeg"}), c.answer)
			require.Equal(t, c.want, failure(t, err).Class)
			require.Len(t, server.Calls(), 1, "no message went out")
		})
	}
}

func TestFileThatCannotBeOpenedIsNotSent(t *testing.T) {
	t.Parallel()

	gone := withFile("", channels.Media{Kind: channels.MediaImage, ID: "gone"})
	_, err := sendStored(t, library(), gone, fakeapi.Answer{Status: 200, Body: accepted})
	require.Equal(t, channels.ClassInvalid, failure(t, err).Class)
	require.ErrorIs(t, err, channels.ErrMediaNotFound)
	_, err = sendStored(t, nil, gone, fakeapi.Answer{Status: 200, Body: accepted})
	require.Equal(t, channels.ClassInvalid, failure(t, err).Class, "without a library there are no files")
	away := library()
	away.Fail(fault.New(fault.NotFound, "MEDIA_NOT_FOUND", "no such file"))
	_, err = sendStored(t, away, gone, fakeapi.Answer{Status: 200, Body: accepted})
	require.Equal(t, channels.ClassInvalid, failure(t, err).Class, "a library may say so with a fault")
	broken := library()
	broken.Fail(errors.New("bucket away"))
	_, err = sendStored(t, broken, gone, fakeapi.Answer{Status: 200, Body: accepted})
	require.Equal(t, channels.ClassRetry, failure(t, err).Class)
	require.NotContains(t, err.Error(), "bucket")
	server, err := sendStored(t, library(), withFile("", channels.Media{Kind: "hologram", URL: "https://example.com/a"}), fakeapi.Answer{Status: 200, Body: accepted})
	require.Equal(t, channels.ClassInvalid, failure(t, err).Class)
	require.Empty(t, server.Calls())
}

func TestFileOverButtonsIsTheirHeader(t *testing.T) {
	t.Parallel()

	r := withButtons("¿Este?", "Sí", "No")
	r.Part.Media = &channels.Media{Kind: channels.MediaDocument, URL: "https://example.com/a.pdf", Filename: "a.pdf"}
	require.JSONEq(t, `{"type":"button","header":{"type":"document","document":{"link":"https://example.com/a.pdf","filename":"a.pdf"}},
		"body":{"text":"¿Este?"},"action":{"buttons":[
			{"type":"reply","reply":{"id":"opt1","title":"Sí"}},{"type":"reply","reply":{"id":"opt2","title":"No"}}]}}`,
		jsonOf(t, interactiveOf(t, r)))
}

func TestContactRequestNamesItself(t *testing.T) {
	t.Parallel()

	r := carrying("¿Nos da su número?", channels.Attachment{ContactRequest: &channels.ContactRequest{ButtonTitle: "Telegram's"}})
	require.JSONEq(t, `{"type":"request_contact_info","body":{"text":"¿Nos da su número?"},"action":{"name":"request_contact_info"}}`,
		jsonOf(t, interactiveOf(t, r)))
}

func TestListWithoutTitlesOpensWithOurs(t *testing.T) {
	t.Parallel()

	r := carrying("Elige", channels.Attachment{List: &channels.List{Sections: []channels.ListSection{{Rows: []channels.ListRow{{ID: "a", Title: "A"}}}}}})
	require.JSONEq(t, `{"type":"list","body":{"text":"Elige"},"action":{"button":"Ver opciones","sections":[{"rows":[{"id":"a","title":"A"}]}]}}`,
		jsonOf(t, interactiveOf(t, r)))
}

func TestQuoteAndEchoTravelWithEveryKind(t *testing.T) {
	t.Parallel()

	for name, a := range map[string]channels.Attachment{
		"File":    {Media: &channels.Media{Kind: channels.MediaImage, URL: "https://example.com/a"}},
		"List":    {List: &channels.List{Sections: []channels.ListSection{{Rows: []channels.ListRow{{ID: "a", Title: "A"}}}}}},
		"Contact": {ContactRequest: &channels.ContactRequest{}},
	} {
		r := carrying("Hola", a)
		r.ReplyTo, r.Echo = "wamid.QUOTED", "r1/0/1"
		got := sent(t, r)
		require.Equal(t, map[string]any{"message_id": "wamid.QUOTED"}, got["context"], name)
		require.Equal(t, "r1/0/1", got["biz_opaque_callback_data"], name)
	}
}
