package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

// with gives a message a file.
func with(kind conversation.MessageKind, m conversation.Media) arrival {
	return func(a *conversation.Arrival) { a.Message.Kind, a.Message.Media = kind, &m }
}

func TestFiles(t *testing.T) {
	t.Parallel()
	note := conversation.Media{ID: "v1", MIMEType: "audio/ogg", Filename: "v.ogg", SizeBytes: 7}

	t.Run("AreShownWithTheirMessages", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("", with(conversation.KindVoice, note)), b.says("hola"))
		turn := b.claimOne()
		d, err := b.store.Dialogue(t.Context(), turn)
		require.NoError(t, err)
		require.Equal(t, &conversation.Attachment{Media: note}, d.Open[0].File)
		require.Equal(t, conversation.KindVoice, d.Open[0].Kind)
		require.Nil(t, d.Open[0].Transcript)
		require.Nil(t, d.Open[1].File)

		file := conversation.StoredMedia{ID: "s1", SizeBytes: 9}
		require.NoError(t, b.store.Hear(t.Context(), turn, d.Open[0].ID, file, "¿abren?"))
		require.Zero(t, b.count("media_fetches"))
		d, err = b.store.Dialogue(t.Context(), turn)
		require.NoError(t, err)
		require.Equal(t, "¿abren?", *d.Open[0].Transcript)
		said := b.messages(turn.Conversation)
		stored := note
		stored.SizeBytes = 9
		require.Equal(t, &conversation.Attachment{Media: stored, Stored: "s1"}, said[0].Media)
		require.Equal(t, "¿abren?", said[0].Transcript)
		require.Nil(t, said[1].Media)
	})

	t.Run("TranscriptsAreFenced", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("", with(conversation.KindVoice, note)))
		turn := b.claimOne()
		d, err := b.store.Dialogue(t.Context(), turn)
		require.NoError(t, err)
		b.crash(turn)
		b.claimOne()
		err = b.store.Hear(t.Context(), turn, d.Open[0].ID, conversation.StoredMedia{ID: "s1"}, "tarde")
		require.ErrorIs(t, err, conversation.ErrLeaseLost)
		require.Zero(t, b.count("messages where transcript is not null or media_id <> ''"))
		require.Equal(t, 1, b.count("media_fetches"))
	})

	t.Run("HistoryHoldsWhatWasHeardBelowItsCaption", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("escucha", with(conversation.KindVoice, note)), b.says("", with(conversation.KindVoice, note)),
			b.says("", with(conversation.KindImage, note)))
		turn := b.claimOne()
		d, err := b.store.Dialogue(t.Context(), turn)
		require.NoError(t, err)
		for i, words := range []string{"uno", "dos"} {
			require.NoError(t, b.store.Hear(t.Context(), turn, d.Open[i].ID, conversation.StoredMedia{ID: "s"}, words))
		}
		b.finish(turn, b.checkpoint(turn, "respuesta"))
		b.receive(b.says("¿y?"))
		d, err = b.store.Dialogue(t.Context(), b.claimOne())
		require.NoError(t, err)
		require.Equal(t, []conversation.PastMessage{
			{Role: conversation.Customer, Text: conversation.Said("escucha", "uno")},
			{Role: conversation.Customer, Text: "dos"},
			{Role: conversation.Assistant, Text: "respuesta"},
		}, d.History)
	})

	t.Run("FetchThatWasGivenUpSaysWhy", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(b.says("", with(conversation.KindVoice, note)))
		claimed, err := b.store.ClaimFetches(t.Context(), []conversation.IntegrationID{number}, 5, lease)
		require.NoError(t, err)
		require.Len(t, claimed, 1)
		require.Equal(t, note, claimed[0].Media)
		none, err := b.store.ClaimFetches(t.Context(), []conversation.IntegrationID{number}, 5, lease)
		require.NoError(t, err)
		require.Empty(t, none, "leased")
		require.NoError(t, b.store.GiveUpFetch(t.Context(), claimed[0], "MEDIA_GONE"))
		require.Equal(t, "MEDIA_GONE", b.messages(b.claimOne().Conversation)[0].Media.Error)
		depth, err := b.store.Depth(t.Context())
		require.NoError(t, err)
		require.Zero(t, depth.Files)
	})
}
