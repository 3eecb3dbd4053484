package conversation_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

func file(kind conversation.MessageKind, mimeType string) conversation.OpenMessage {
	return conversation.OpenMessage{
		Kind: kind, Sentence: conversation.SentenceImage,
		File: &conversation.Attachment{Media: conversation.Media{ID: "f", MIMEType: mimeType}},
	}
}

func TestWhatIsVisibleGoesByKindTypeAndAbility(t *testing.T) {
	t.Parallel()
	images, documents := conversation.Abilities{Images: true}, conversation.Abilities{Documents: true}
	for _, c := range []struct {
		m                 conversation.OpenMessage
		images, documents bool
	}{
		{file(conversation.KindImage, "image/jpeg"), true, false},
		{file(conversation.KindImage, "IMAGE/PNG; q=1"), true, false},
		{file(conversation.KindImage, ""), true, false},
		{file(conversation.KindImage, "image/heic"), false, false},
		{file(conversation.KindDocument, "image/webp"), true, false},
		{file(conversation.KindDocument, "application/pdf"), false, true},
		{file(conversation.KindDocument, "application/zip"), false, false},
		{file(conversation.KindDocument, ""), false, false},
		{file(conversation.KindSticker, "image/webp"), false, false},
		{file(conversation.KindVoice, "audio/ogg"), false, false},
		{conversation.OpenMessage{Kind: conversation.KindImage}, false, false},
	} {
		require.Equal(t, c.images, images.Visible(c.m), c.m.Kind)
		require.Equal(t, c.documents, documents.Visible(c.m), c.m.Kind)
		require.False(t, conversation.Abilities{}.Visible(c.m))
	}
}

func TestHeardWordsStandBelowTheCaption(t *testing.T) {
	t.Parallel()
	voice := file(conversation.KindVoice, "audio/ogg")
	require.True(t, voice.Spoken())
	require.Equal(t, "hola", voice.Heard("hola").Text)
	require.Empty(t, voice.Heard("hola").Sentence)
	require.Equal(t, conversation.SentenceInaudible, voice.Heard("").Sentence)
	voice.Text = "escucha"
	require.Equal(t, "escucha\nhola", voice.Heard("hola").Text)
	require.Empty(t, voice.Heard("").Sentence, "the caption is a question")
	require.Equal(t, "escucha", voice.Heard("").Text)
}

func TestSeenFileNeedsNoSentence(t *testing.T) {
	t.Parallel()
	m := file(conversation.KindImage, "image/png").Seen([]byte("png"))
	require.Empty(t, m.Sentence)
	require.Equal(t, &conversation.File{MIMEType: "image/png", Content: []byte("png")}, m.Loaded)
}

func TestTranscriptCanBeStored(t *testing.T) {
	t.Parallel()
	require.Equal(t, "hola", conversation.Transcript(" ho\x00la \n"))
	require.Len(t, conversation.Transcript(strings.Repeat("a", conversation.MaxTextBytes+1)), conversation.MaxTextBytes)
}
