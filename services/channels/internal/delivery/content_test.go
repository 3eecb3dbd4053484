package delivery_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/delivery"
)

// attachments is one of each kind; the file is stored and belongs to the integration.
func (b *bundle) attachments() map[string]channels.Attachment {
	b.store("f", "image/jpeg")
	return map[string]channels.Attachment{
		"File":     {Media: &channels.Media{Kind: channels.MediaImage, ID: "f"}},
		"Link":     {Media: &channels.Media{Kind: channels.MediaDocument, URL: "https://example.com/a.pdf", Filename: "a.pdf"}},
		"List":     {List: &channels.List{Sections: []channels.ListSection{{Rows: []channels.ListRow{{ID: "a", Title: "A"}}}}}},
		"Reaction": {Reaction: &channels.Reaction{MessageID: "wamid.in", Emoji: "👍"}},
		"Contact":  {ContactRequest: &channels.ContactRequest{}},
	}
}

func (b *bundle) store(id, mimeType string) {
	b.library.Put(channels.StoredFile{ID: id, IntegrationID: b.integration.ID, MIMEType: mimeType}, "bytes")
}

// carrying is a message with an attachment, under its own request id.
func (b *bundle) carrying(request, text string, a channels.Attachment) delivery.Message {
	m := b.message(text)
	m.RequestID, m.Attachment = request, a
	return m
}

func TestEveryKindIsSentOnce(t *testing.T) {
	t.Parallel()

	for _, p := range []channels.Platform{channels.WhatsApp, channels.Telegram} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			b := setup(t, p)
			calls := 0
			for name, a := range b.attachments() {
				m := b.carrying(name, "uno\ndos", a)
				m.ReplyTo = "wamid.quoted"
				first, err := b.delivery.Send(t.Context(), m)
				require.NoError(t, err, name)
				again, err := b.service().Send(t.Context(), m)
				require.NoError(t, err, name)
				require.Equal(t, first.Parts[0].MessageID, again.Parts[0].MessageID, name)
				sent := b.Provider.Calls()[calls:]
				require.Len(t, sent, 2, name)
				require.Equal(t, a, sent[0].Part.Attachment, name)
				require.Equal(t, []string{"wamid.quoted", ""}, []string{sent[0].ReplyTo, sent[1].ReplyTo}, "only the first part quotes")
				require.Equal(t, []string{name + "/0/1", name + "/1/1"}, []string{sent[0].Echo, sent[1].Echo})
				calls += len(sent)

				m.Attachment = channels.Attachment{}
				_, err = b.delivery.Send(t.Context(), m)
				requireFault(t, err, fault.Conflict, "REQUEST_ID_REUSED")
			}
		})
	}
}

func TestDoubtIsTheSameForEveryKind(t *testing.T) {
	t.Parallel()

	b := setup(t, channels.WhatsApp)
	for name, a := range b.attachments() {
		before := len(b.Provider.Calls())
		b.Provider.Fail(inDoubt())
		m := b.carrying(name, "hola", a)
		_, err := b.delivery.Send(t.Context(), m)
		requireFault(t, err, fault.InFlight, "DELIVERY_IN_DOUBT")
		_, err = b.delivery.Send(t.Context(), m)
		requireFault(t, err, fault.InFlight, "DELIVERY_IN_DOUBT")
		b.pass(t, 2*time.Minute) // a stored file may take a minute longer
		d, err := b.delivery.Send(t.Context(), m)
		require.NoError(t, err, name)
		require.True(t, d.MaybeDuplicate, name)
		calls := b.Provider.Calls()[before:]
		require.Len(t, calls, 2, name)
		require.Equal(t, calls[0].Part, calls[1].Part, "the second try says the same")
	}
}

func TestReactionWithoutAnIDIsSettled(t *testing.T) {
	t.Parallel()

	b := setup(t, channels.Telegram)
	b.Provider.NoID()
	m := b.carrying("r1", "", channels.Attachment{Reaction: &channels.Reaction{MessageID: "42", Emoji: "👍"}})
	for range 2 {
		d, err := b.delivery.Send(t.Context(), m)
		require.NoError(t, err)
		require.Equal(t, channels.DeliverySent, d.State())
		require.Empty(t, d.Parts[0].MessageID)
	}
	require.Len(t, b.Provider.Calls(), 1)
}

func TestStoredFile(t *testing.T) {
	t.Parallel()

	file := func(id string, kind channels.MediaKind) channels.Attachment {
		return channels.Attachment{Media: &channels.Media{Kind: kind, ID: id}}
	}

	t.Run("IsShownAsItsTypeSaysUnlessTold", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		b.store("ogg", "audio/ogg; codecs=opus")
		for asked, want := range map[channels.MediaKind]channels.MediaKind{
			"": channels.MediaVoice, channels.MediaAudio: channels.MediaAudio, channels.MediaDocument: channels.MediaDocument,
		} {
			_, err := b.delivery.Send(t.Context(), b.carrying("r"+string(asked), "", file("ogg", asked)))
			require.NoError(t, err)
			calls := b.Provider.Calls()
			require.Equal(t, want, calls[len(calls)-1].Part.Media.Kind)
		}
	})

	t.Run("ThatCannotBeSentIsRefusedBeforeAnythingIsKept", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		other := b.Telegram(t)
		b.store("pdf", "application/pdf")
		b.library.Put(channels.StoredFile{ID: "foreign", IntegrationID: other.ID, MIMEType: "image/png"}, "x")
		for _, c := range []struct {
			attachment channels.Attachment
			kind       fault.Kind
			reason     string
		}{
			{file("gone", ""), fault.NotFound, "MEDIA_NOT_FOUND"},
			{file("foreign", ""), fault.Invalid, "MEDIA_OF_ANOTHER_INTEGRATION"},
			{file("pdf", channels.MediaImage), fault.Invalid, "MEDIA_KIND_MISMATCH"},
		} {
			_, err := b.delivery.Send(t.Context(), b.carrying("r1", "", c.attachment))
			requireFault(t, err, c.kind, c.reason)
			_, err = b.delivery.SendTemplate(t.Context(), delivery.TemplateMessage{RequestID: "t1", To: b.to, Template: headed(c.attachment.Media)})
			requireFault(t, err, c.kind, c.reason)
		}
		b.store("ogg", "audio/ogg")
		_, err := b.delivery.SendTemplate(t.Context(), delivery.TemplateMessage{RequestID: "t1", To: b.to, Template: headed(&channels.Media{ID: "ogg"})})
		requireFault(t, err, fault.Invalid, "MEDIA_KIND_MISMATCH")
		b.library.Fail(errors.New("bucket away"))
		_, err = b.delivery.Send(t.Context(), b.carrying("r1", "", file("pdf", "")))
		requireFault(t, err, fault.Unavailable, "MEDIA_UNAVAILABLE")
		require.Empty(t, b.Provider.Calls())
		for _, id := range []string{"r1", "t1"} {
			_, err = b.delivery.Get(t.Context(), id)
			requireFault(t, err, fault.NotFound, "DELIVERY_NOT_FOUND")
		}
	})

	t.Run("ThatIsGoneLeavesTheRecordedResult", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		b.store("f", "image/jpeg")
		m := b.carrying("r1", "hola", file("f", ""))
		template := delivery.TemplateMessage{RequestID: "t1", To: b.to, Template: headed(&channels.Media{ID: "f"})}
		_, err := b.delivery.Send(t.Context(), m)
		require.NoError(t, err)
		_, err = b.delivery.SendTemplate(t.Context(), template)
		require.NoError(t, err)
		b.library.Remove("f")
		_, err = b.delivery.Send(t.Context(), m)
		require.NoError(t, err)
		_, err = b.delivery.SendTemplate(t.Context(), template)
		require.NoError(t, err)
		require.Len(t, b.Provider.Calls(), 2)
	})

	t.Run("OfATemplateIsSettledButItsRequestIsNot", func(t *testing.T) {
		t.Parallel()
		b := setup(t, channels.WhatsApp)
		b.store("f", "image/jpeg")
		asked := headed(&channels.Media{ID: "f"})
		_, err := b.delivery.SendTemplate(t.Context(), delivery.TemplateMessage{RequestID: "t1", To: b.to, Template: asked})
		require.NoError(t, err)
		require.Equal(t, headed(&channels.Media{Kind: channels.MediaImage, ID: "f"}), *b.Provider.Calls()[0].Template)
		require.Equal(t, headed(&channels.Media{ID: "f"}), asked)
	})
}

// headed is a template with a file in its header.
func headed(m *channels.Media) channels.Template {
	return channels.Template{Name: "pedido", Language: "es", Components: []channels.TemplateComponent{
		{Type: channels.TemplateHeader, Parameters: []channels.TemplateParameter{{Media: m}}},
		{Type: channels.TemplateBody, Parameters: []channels.TemplateParameter{{Name: "nombre", Text: "Ana"}}},
	}}
}

// TestRequestsFromBeforeAttachmentsGoOn: a request of which an earlier version sent a part is known by its fingerprint.
func TestRequestsFromBeforeAttachmentsGoOn(t *testing.T) {
	t.Parallel()

	b := setup(t, channels.WhatsApp)
	to := fmt.Sprintf(`{"IntegrationID":"%s","WhatsApp":{"UserID":"","Phone":"573001234567"},"Telegram":null}`, b.integration.ID)
	written := func(id, asked string, template any) {
		sum := sha256.Sum256([]byte("[" + asked + "," + to + "]"))
		b.Exec(t, `insert into deliveries (request_id, integration_id, platform, fingerprint, template) values ($1, $2, 'whatsapp', $3, $4)`,
			id, b.integration.ID, sum[:], template)
	}
	const template = `{"Name":"bienvenida","Language":"es","BodyParameters":["Ana"]}`
	written("text", `"hola",[[{"ID":"b","Title":"Sí"}]],"wamid.in"`, nil)
	written("template", template, template)
	b.Exec(t, `insert into delivery_parts (request_id, ordinal, content, phase, try, doubts, message_id, state, error_code, error_message)
		values ('text', 0, '{"text": "*hola*", "plain": "hola"}', 'pending', 1, 0, '', 0, 0, ''), ('template', 0, null, 'pending', 1, 0, '', 0, 0, '')`)

	m := b.message("hola")
	m.RequestID, m.ReplyTo, m.Buttons = "text", "wamid.in", [][]channels.Button{{{ID: "b", Title: "Sí"}}}
	_, err := b.delivery.Send(t.Context(), m)
	require.NoError(t, err)
	_, err = b.delivery.SendTemplate(t.Context(), delivery.TemplateMessage{
		RequestID: "template", To: b.to, Template: channels.Template{Name: "bienvenida", Language: "es", BodyParameters: []string{"Ana"}},
	})
	require.NoError(t, err)
	calls := b.Provider.Calls()
	require.Len(t, calls, 2)
	require.Equal(t, "*hola*", calls[0].Part.Text, "what the earlier version rendered")
	require.Equal(t, []string{"Ana"}, calls[1].Template.BodyParameters)
}

func TestContentThatShowsNothingIsInvalid(t *testing.T) {
	t.Parallel()

	b := setup(t, channels.WhatsApp)
	for name, a := range b.attachments() {
		m := b.carrying(name, " ", a)
		if a.Media != nil {
			m.Buttons = [][]channels.Button{{{ID: "b", Title: "Sí"}}}
		}
		_, err := b.delivery.Send(t.Context(), m)
		if a.Reaction != nil {
			require.NoError(t, err, "a reaction has no text")
			continue
		}
		requireFault(t, err, fault.Invalid, "TEXT_EMPTY")
	}
}
