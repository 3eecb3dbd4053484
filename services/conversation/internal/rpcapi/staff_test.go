package rpcapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/platform/fault"
)

// talk returns the id of the one conversation.
func (b *bundle) talk() string {
	b.t.Helper()
	list, err := b.conversations.ListConversations(b.t.Context(), &conversationv1.ListConversationsRequest{})
	require.NoError(b.t, err)
	require.Len(b.t, list.GetConversations(), 1)
	return list.GetConversations()[0].GetId()
}

func TestHandOverOverTheWire(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.post(b.text("573001234567", "quiero hablar con alguien"))
	talk := b.talk()
	hand := func(r *conversationv1.HandOverConversationRequest) (*conversationv1.Conversation, error) {
		got, err := b.conversations.HandOverConversation(t.Context(), r)
		return got.GetConversation(), err
	}
	c, err := hand(&conversationv1.HandOverConversationRequest{Id: talk, Staff: " Leo ", Reason: "reclamo"})
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(30*time.Minute), c.GetBotPausedUntil().AsTime(), time.Minute)
	require.Equal(t, conversationv1.PauseCause_PAUSE_CAUSE_HANDED_OVER, c.GetPauseCause())
	require.Equal(t, []string{"Leo", "reclamo"}, []string{c.GetPausedBy(), c.GetPauseReason()})

	_, err = hand(&conversationv1.HandOverConversationRequest{Id: "7"})
	refused(t, err, fault.Invalid, "ID_INVALID")
	_, err = hand(&conversationv1.HandOverConversationRequest{Id: uuid.NewString()})
	refused(t, err, fault.NotFound, "NOT_FOUND")
	_, err = hand(&conversationv1.HandOverConversationRequest{Id: talk, Staff: strings.Repeat("ñ", 101)})
	refused(t, err, fault.Invalid, "STAFF_INVALID")
	_, err = hand(&conversationv1.HandOverConversationRequest{Id: talk, Staff: "a\x00b"})
	refused(t, err, fault.Invalid, "STAFF_INVALID")
	_, err = hand(&conversationv1.HandOverConversationRequest{Id: talk, Reason: strings.Repeat("ñ", 501)})
	refused(t, err, fault.Invalid, "REASON_INVALID")
	_, err = b.conversations.CloseConversation(t.Context(), &conversationv1.CloseConversationRequest{Id: talk})
	require.NoError(t, err)
	_, err = hand(&conversationv1.HandOverConversationRequest{Id: talk})
	refused(t, err, fault.Precondition, "CONVERSATION_CLOSED")
}

func TestReplyOverTheWire(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.post(b.text("573001234567", "¿abren?"))
	talk, request := b.talk(), uuid.NewString()
	reply := func(id, text, request string) (*conversationv1.Message, error) {
		got, err := b.conversations.ReplyToConversation(t.Context(), &conversationv1.ReplyToConversationRequest{
			ConversationId: id, Text: text, RequestId: request,
		})
		return got.GetMessage(), err
	}
	m, err := reply(talk, "sí, **a las 9**", request)
	require.NoError(t, err)
	require.Equal(t, conversationv1.Message_ROLE_STAFF, m.GetRole())
	require.Equal(t, conversationv1.Message_STATE_SENDING, m.GetState())
	require.Equal(t, "sí, **a las 9**", m.GetText())
	require.EqualValues(t, 1, b.woken.Load())
	again, err := reply(talk, "sí, **a las 9**", request)
	require.NoError(t, err)
	require.Equal(t, m.GetId(), again.GetId())

	_, err = reply(talk, "no", request)
	refused(t, err, fault.Conflict, "REQUEST_ID_REUSED")
	_, err = reply("7", "sí", uuid.NewString())
	refused(t, err, fault.Invalid, "ID_INVALID")
	_, err = reply(talk, "sí", "7")
	refused(t, err, fault.Invalid, "ID_INVALID")
	_, err = reply(uuid.NewString(), "sí", uuid.NewString())
	refused(t, err, fault.NotFound, "NOT_FOUND")
	for _, text := range []string{"", " \n", "a\x00b", strings.Repeat("ñ", 4097)} {
		_, err = reply(talk, text, uuid.NewString())
		refused(t, err, fault.Invalid, "TEXT_INVALID")
	}
	_, err = b.pool.Exec(t.Context(), `update conversations set last_customer_time = now() - interval '25 hours'`)
	require.NoError(t, err)
	_, err = reply(talk, "sí", uuid.NewString())
	refused(t, err, fault.Precondition, "WINDOW_CLOSED")
}

func TestConversationsAreFoundByStateAndPause(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, phone := range []string{"573000000001", "573000000002", "573000000003"} {
		b.post(b.text(phone, "hola"))
	}
	all, err := b.conversations.ListConversations(t.Context(), &conversationv1.ListConversationsRequest{})
	require.NoError(t, err)
	paused, closed := all.GetConversations()[0].GetId(), all.GetConversations()[1].GetId()
	_, err = b.conversations.HandOverConversation(t.Context(), &conversationv1.HandOverConversationRequest{Id: paused})
	require.NoError(t, err)
	_, err = b.conversations.CloseConversation(t.Context(), &conversationv1.CloseConversationRequest{Id: closed})
	require.NoError(t, err)
	for _, c := range []struct {
		request *conversationv1.ListConversationsRequest
		want    []string
	}{
		{&conversationv1.ListConversationsRequest{PausedOnly: true}, []string{paused}},
		{&conversationv1.ListConversationsRequest{State: conversationv1.Conversation_STATE_CLOSED}, []string{closed}},
		{&conversationv1.ListConversationsRequest{State: conversationv1.Conversation_STATE_CLOSED, PausedOnly: true}, nil},
		{&conversationv1.ListConversationsRequest{State: conversationv1.Conversation_STATE_ACTIVE}, []string{paused, all.GetConversations()[2].GetId()}},
	} {
		list, err := b.conversations.ListConversations(t.Context(), c.request)
		require.NoError(t, err)
		var got []string
		for _, found := range list.GetConversations() {
			got = append(got, found.GetId())
		}
		require.Equal(t, c.want, got, c.request)
	}
}
