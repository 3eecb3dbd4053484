package rpcapi_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/platform/fault"
)

func TestPauseIsShownAndResumed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.post(b.text("573001234567", "hola"))
	_, err := b.pool.Exec(t.Context(), `update conversations set bot_paused_until = now() + interval '10 minutes'`)
	require.NoError(t, err)
	list, err := b.conversations.ListConversations(t.Context(), &conversationv1.ListConversationsRequest{})
	require.NoError(t, err)
	c := list.GetConversations()[0]
	require.WithinDuration(t, time.Now().Add(10*time.Minute), c.GetBotPausedUntil().AsTime(), time.Minute)
	for n := range 2 {
		r, err := b.conversations.ResumeConversation(t.Context(), &conversationv1.ResumeConversationRequest{Id: c.GetId()})
		require.NoError(t, err)
		require.Nil(t, r.GetConversation().GetBotPausedUntil())
		require.EqualValues(t, n+1, b.woken.Load())
	}
	got, err := b.conversations.GetConversation(t.Context(), &conversationv1.GetConversationRequest{Id: c.GetId()})
	require.NoError(t, err)
	require.Nil(t, got.GetConversation().GetBotPausedUntil())
	_, err = b.conversations.ResumeConversation(t.Context(), &conversationv1.ResumeConversationRequest{Id: uuid.NewString()})
	refused(t, err, fault.NotFound, "NOT_FOUND")
	_, err = b.conversations.ResumeConversation(t.Context(), &conversationv1.ResumeConversationRequest{Id: "7"})
	refused(t, err, fault.Invalid, "ID_INVALID")
}

func TestOrdersAdvertsAndRepliesAreShown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	order := b.text("573001234567", "sin azúcar")
	order.GetMessage().Kind = conversationv1.MessageKind_MESSAGE_KIND_ORDER
	order.GetMessage().OrderItems = []*conversationv1.OrderItem{{ProductId: "CAFE-500", Quantity: 2, Price: "30", Currency: "COP"}}
	reply := b.text("573001234567", "¿y esto?")
	reply.GetMessage().ReplyToMessageId = order.GetMessage().GetMessageId()
	reply.GetMessage().Referral = &conversationv1.Referral{Headline: "Feria", Body: "Todo a mitad", SourceUrl: "https://x", SourceId: "4"}
	b.post(order, reply)
	list, err := b.conversations.ListConversations(t.Context(), &conversationv1.ListConversationsRequest{})
	require.NoError(t, err)
	said, err := b.conversations.ListMessages(t.Context(), &conversationv1.ListMessagesRequest{ConversationId: list.GetConversations()[0].GetId()})
	require.NoError(t, err)
	require.Equal(t, "Pedido:\n2 × CAFE-500 (30 COP)\nsin azúcar", said.GetMessages()[0].GetText())
	require.Equal(t, order.GetMessage().GetMessageId(), said.GetMessages()[1].GetReplyToMessageId())
	require.Equal(t, said.GetMessages()[0].GetText(), said.GetMessages()[1].GetQuotedText())
	var headline, body string
	require.NoError(t, b.pool.QueryRow(t.Context(),
		`select details->'referral'->>'headline', details->'referral'->>'body' from messages where position = 2`).Scan(&headline, &body))
	require.Equal(t, []string{"Feria", "Todo a mitad"}, []string{headline, body})
}
