package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"

	"github.com/knobot/knobot/e2e/internal/crowd"
	"github.com/knobot/knobot/e2e/internal/model"
	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/client"
)

// webhooksRepeat delivers a quarter of the webhooks twice (WhatsApp's at once), swaps neighbours, reports statuses early and
// backwards, and a week later delivers everything once more, many times at the same moment.
func webhooksRepeat(c *stage) {
	c.open(set{})
	order := func(kind simulator.FaultKind, skip int) {
		for n := range size(10, 100) { // each strikes once, a few webhooks after the one before
			_, err := c.Simulator.AddFault(c.ctx, simulator.Fault{Kind: kind, Skip: skip * n / 4, Delay: simulator.Duration(500 * time.Millisecond)})
			require.NoError(c, err)
		}
	}
	order(simulator.FaultWebhookReorder, 6)
	order(simulator.FaultStatusEarly, 2)
	order(simulator.FaultStatusReorder, 3)
	c.during(crowd.Plan{
		Customers: 40, Questions: size(4, 40), Every: size(50*time.Millisecond, 30*time.Millisecond),
		Say: func(u simulator.Utterance, _, _ int) simulator.Utterance {
			if rand.IntN(4) == 0 {
				u.Copies = 2
			}
			return u
		},
	}, func(context.Context) error { return nil })
	swapped := c.swapWithinChats()
	require.NoError(c, c.crowd.Settle(c.ctx))
	require.NoError(c, c.Simulator.ClearFaults(c.ctx))
	again := c.redeliver()
	r := c.close(fmt.Sprintf("swapped within chats %d, redelivered a week later %d times", swapped, again))
	require.Zero(c, r.Repeated)
	require.Zero(c, r.Dead)
	require.Zero(c, r.Told)
	c.checkStates()
}

// swapWithinChats has two messages of one customer arrive the other way round, and returns how many did.
func (c *stage) swapWithinChats() int {
	c.Helper()
	const first, customers = 1000, 5
	for n := range customers {
		u := crowd.Utterance(simulator.WhatsApp, first+n, 0)
		_, err := c.Simulator.AddFault(c.ctx, simulator.Fault{
			Kind: simulator.FaultWebhookReorder, Method: "message", Chat: simulator.Chat{Platform: simulator.WhatsApp, User: u.From},
		})
		require.NoError(c, err)
		for q := range 2 {
			_, err := c.crowd.Say(c.ctx, model.Code(first+n, q), crowd.Utterance(simulator.WhatsApp, first+n, q))
			require.NoError(c, err)
		}
	}
	return customers
}

// redeliver makes all that was received a week old and posts each body three times more, at the same moment. It returns how
// many were posted.
func (c *stage) redeliver() int {
	c.Helper()
	_, err := c.admin(stores).Exec(c.ctx, `update conversation.inbound_keys set received_time = received_time - interval '7 days'`)
	require.NoError(c, err)
	logs := conversationv1.NewWebhookLogServiceClient(c.Conn(c.Conversation))
	posting, ctx := errgroup.WithContext(c.ctx)
	posting.SetLimit(30)
	posted := 0
	for token := ""; ; {
		page, err := logs.ListWebhookLogs(c.ctx, &conversationv1.ListWebhookLogsRequest{PageSize: 100, PageToken: token})
		require.NoError(c, err)
		for _, l := range page.GetWebhookLogs() {
			r, err := logs.GetWebhookLog(c.ctx, &conversationv1.GetWebhookLogRequest{Id: l.GetId()})
			require.NoError(c, err)
			post := c.PostWhatsApp
			if l.GetPlatform() == typev1.Platform_PLATFORM_TELEGRAM {
				post = c.PostTelegram
			}
			for range 3 {
				posted++
				posting.Go(func() error {
					status, err := post(ctx, r.GetWebhookLog().GetPayload())
					if err == nil && status != http.StatusOK {
						err = fmt.Errorf("a repeat is answered by %d", status)
					}
					return err
				})
			}
		}
		if token = page.GetNextPageToken(); token == "" || posted >= size(200, 3000) {
			break
		}
	}
	require.NoError(c, posting.Wait())
	return posted
}

// checkStates holds how far KnoBot thinks that its answers came against what the phones show: a late status sets nothing back.
func (c *stage) checkStates() {
	c.Helper()
	shown := map[string]simulator.State{}
	chats, err := c.Simulator.Chats(c.ctx, client.Filter{Chat: simulator.Chat{Platform: simulator.WhatsApp}})
	require.NoError(c, err)
	for _, chat := range chats {
		messages, err := c.Simulator.Messages(c.ctx, chat.Chat, 0)
		require.NoError(c, err)
		for _, m := range messages {
			shown[m.ID] = m.State
		}
	}
	names := map[simulator.State]conversationv1.DeliveryState{
		simulator.StateSent:      conversationv1.DeliveryState_DELIVERY_STATE_SENT,
		simulator.StateDelivered: conversationv1.DeliveryState_DELIVERY_STATE_DELIVERED,
		simulator.StateRead:      conversationv1.DeliveryState_DELIVERY_STATE_READ,
	}
	client := conversationv1.NewConversationServiceClient(c.Conn(c.Conversation))
	all, err := client.ListConversations(c.ctx, &conversationv1.ListConversationsRequest{PageSize: 1000})
	require.NoError(c, err)
	checked := 0
	for _, conversation := range all.GetConversations() {
		r, err := client.ListMessages(c.ctx, &conversationv1.ListMessagesRequest{ConversationId: conversation.GetId(), PageSize: 1000})
		require.NoError(c, err)
		for _, m := range r.GetMessages() {
			state, ok := shown[m.GetPlatformMessageId()]
			if ok && m.GetRole() == conversationv1.Message_ROLE_ASSISTANT {
				require.Equal(c, names[state], m.GetDeliveryState(), "as on the phone: %s", state)
				checked++
			}
		}
	}
	require.Positive(c, checked)
}
