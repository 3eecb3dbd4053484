package dialogue_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
)

// shows is a picture or document of a WhatsApp customer.
func (b *bundle) shows(kind conversation.MessageKind, mimeType, media, caption string) conversation.Event {
	return of(b.says(ana, caption), func(m *conversation.InboundMessage) {
		m.Kind, m.Media = kind, &conversation.Media{ID: media, MIMEType: mimeType, Filename: "f"}
	})
}

func (b *bundle) photo(media, caption string) conversation.Event {
	return b.shows(conversation.KindImage, "image/jpeg", media, caption)
}

func (b *bundle) sees() {
	b.rag.Can(func(c *ragv1.GetCapabilitiesResponse) { c.Images, c.Documents = true, true })
}

func TestVision(t *testing.T) {
	t.Parallel()

	t.Run("PictureIsShownToAModelThatSees", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sees()
		b.channels.Holds("foto", strings.Repeat("x", 1<<20))
		b.run(b.worker)
		b.receive(b.photo("foto", ""))
		b.quiet()
		require.Equal(t, []string{"respuesta a: "}, b.channels.Texts(), "no sentence of ours")
		turn := b.rag.Asked()[0].GetTurns()[0]
		require.Empty(t, turn.GetText())
		require.Len(t, turn.GetMedia(), 1)
		require.Equal(t, "image/jpeg", turn.GetMedia()[0].GetMimeType())
		require.Len(t, turn.GetMedia()[0].GetContent(), 1<<20)
	})

	t.Run("CaptionStaysAsItIs", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sees()
		b.receive(b.says(ana, "hola"), b.shows(conversation.KindDocument, "application/pdf", "pdf", "  ¿qué dice?\n"))
		b.run(b.worker)
		b.quiet()
		turns := b.rag.Asked()[0].GetTurns()
		require.Empty(t, turns[0].GetMedia())
		require.Equal(t, "  ¿qué dice?\n", turns[1].GetText())
		require.Equal(t, "pdf", string(turns[1].GetMedia()[0].GetContent()))
	})

	t.Run("WithoutVisionTheCaptionIsTheQuestion", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.photo("a", "¿cuánto cuesta?"), b.photo("b", ""))
		b.run(b.worker)
		b.quiet()
		require.Equal(t, []string{"respuesta a: ¿cuánto cuesta?\n\n" + conversation.SentenceImage.In("es")}, b.channels.Texts())
		require.Empty(t, b.rag.Asked()[0].GetTurns()[0].GetMedia())
		require.Empty(t, b.channels.Read())
	})

	t.Run("OtherFilesKeepTheirSentence", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sees()
		b.run(b.worker)
		b.receive(b.shows(conversation.KindDocument, "application/zip", "zip", ""))
		b.quiet()
		require.Equal(t, []string{conversation.SentenceDocument.In("es")}, b.channels.Texts())
		require.Empty(t, b.channels.Read())
	})

	t.Run("WhatDoesNotFitIsLeftOut", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sees()
		b.channels.Holds("a", strings.Repeat("a", 6<<20))
		b.channels.Holds("b", strings.Repeat("b", 5<<20))
		stated := of(b.photo("c", ""), func(m *conversation.InboundMessage) { m.Media.SizeBytes = 11 << 20 })
		b.receive(b.photo("a", "uno"), b.photo("b", "dos"), stated)
		b.run(b.worker)
		b.quiet()
		turns := b.rag.Asked()[0].GetTurns()
		require.Len(t, turns, 2)
		require.Len(t, turns[0].GetMedia(), 1)
		require.Empty(t, turns[1].GetMedia())
		require.Equal(t, []string{"respuesta a: dos\n\n" + conversation.SentenceImage.In("es")}, b.channels.Texts())
		require.Equal(t, []string{"stored-a"}, b.channels.Read(), "sizes are known beforehand")
	})

	t.Run("GonePictureIsAnsweredByItsCaption", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sees()
		b.channels.OnFetch(func(context.Context, *channelsv1.FetchMediaRequest) error {
			return fault.New(fault.Precondition, "MEDIA_GONE", "gone")
		})
		b.run(b.worker)
		b.receive(b.photo("a", "¿cuánto cuesta?"))
		b.quiet()
		require.Equal(t, []string{"respuesta a: ¿cuánto cuesta?"}, b.channels.Texts())
	})

	t.Run("PictureThatCannotBeFetchedForNowIsTriedAgain", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sees()
		b.channels.OnFetch(func(context.Context, *channelsv1.FetchMediaRequest) error { return unavailable() })
		b.run(b.worker)
		b.receive(b.photo("a", ""))
		b.eventually(func() bool { return b.count("turns where attempt = 1") == 1 }, "failed once")
		b.channels.OnFetch(nil)
		b.hurry()
		b.quiet()
		require.Equal(t, []string{"respuesta a: "}, b.channels.Texts())
	})

	t.Run("FetchedFileIsNotFetchedAgain", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sees()
		b.receive(b.photo("a", ""))
		b.exec(`update messages set media_id = 'stored-a', media_size = 1`)
		b.run(b.worker)
		b.quiet()
		require.Empty(t, b.channels.Fetched())
		require.Equal(t, []string{"stored-a"}, b.channels.Read())
	})

	t.Run("AbilitiesAreAskedForOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sees()
		b.receive(b.photo("a", ""), b.photo("b", ""))
		b.run(b.worker)
		b.quiet()
		b.receive(b.photo("c", ""), b.says(ana, "hola"))
		b.quiet()
		require.Equal(t, 1, b.rag.Questions())
	})
}
