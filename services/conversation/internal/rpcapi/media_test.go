package rpcapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
)

func TestFilesAndTranscriptsOverTheWire(t *testing.T) {
	t.Parallel()
	b := setup(t)
	voice := b.text("573001234567", "")
	m := voice.GetMessage()
	m.Kind = conversationv1.MessageKind_MESSAGE_KIND_VOICE
	m.Media = &conversationv1.Media{Id: "meta-1", MimeType: "audio/ogg; codecs=opus", Filename: "v.ogg"}
	b.post(voice, b.text("573001234567", "hola"))
	list, err := b.conversations.ListConversations(t.Context(), &conversationv1.ListConversationsRequest{IntegrationId: "wa-1"})
	require.NoError(t, err)
	messages := func() []*conversationv1.Message {
		page, err := b.conversations.ListMessages(t.Context(), &conversationv1.ListMessagesRequest{ConversationId: list.GetConversations()[0].GetId()})
		require.NoError(t, err)
		return page.GetMessages()
	}
	said := messages()
	require.Equal(t, "audio/ogg; codecs=opus", said[0].GetMedia().GetMimeType())
	require.Equal(t, "v.ogg", said[0].GetMedia().GetFilename())
	require.Empty(t, said[0].GetMedia().GetId(), "the provider's id is no id of ours")
	require.Empty(t, said[0].GetTranscript())
	require.Nil(t, said[1].GetMedia())

	_, err = b.pool.Exec(t.Context(), `update messages set media_id = 'ours', media_size = 9, transcript = '¿abren?' where kind = 'voice'`)
	require.NoError(t, err)
	said = messages()
	require.Equal(t, "ours", said[0].GetMedia().GetId())
	require.EqualValues(t, 9, said[0].GetMedia().GetSizeBytes())
	require.Equal(t, "¿abren?", said[0].GetTranscript())
	_, err = b.pool.Exec(t.Context(), `update messages set media_id = '', media_error = 'MEDIA_GONE' where kind = 'voice'`)
	require.NoError(t, err)
	require.Equal(t, "MEDIA_GONE", messages()[0].GetMedia().GetError())
}
