package command

import (
	"context"

	"github.com/knobot/knobot/cli/internal/present"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
)

// conversationsCommand looks after conversations.
type conversationsCommand struct {
	List     conversationsListCommand     `cmd:"" default:"withargs" help:"List the newest conversations, and where the bot keeps silent because staff has the word."`
	Messages conversationsMessagesCommand `cmd:"" help:"List the messages of one, with what became of each."`
	HandOver conversationsHandOverCommand `cmd:"" help:"Give the word to staff: the bot keeps silent."`
	Reply    conversationsReplyCommand    `cmd:"" help:"Write to the customer as staff."`
	Resume   conversationsResumeCommand   `cmd:"" help:"Let the bot answer again at once after staff wrote."`
	Close    conversationsCloseCommand    `cmd:"" help:"End one: the customer's next message opens a new one."`
}

// onConversations calls f with the service.
func onConversations(ctx context.Context, s session, f func(context.Context, conversationv1.ConversationServiceClient) error) error {
	return call(ctx, s, conversationv1.NewConversationServiceClient, f)
}

// conversationsListCommand lists conversations, newest first.
type conversationsListCommand struct {
	Integration string `placeholder:"ID" help:"Only those of this number or bot."`
	User        string `placeholder:"ID" help:"Only those of this customer."`
	Paused      bool   `help:"Only those in which staff has the word."`
	Limit       int32  `short:"n" default:"10" help:"How many, at most 1000."`
}

// Run prints one line per conversation.
func (c conversationsListCommand) Run(ctx context.Context, s session) error {
	return onConversations(ctx, s, func(ctx context.Context, client conversationv1.ConversationServiceClient) error {
		r, err := client.ListConversations(ctx, &conversationv1.ListConversationsRequest{
			IntegrationId: c.Integration, UserId: c.User, PausedOnly: c.Paused, PageSize: c.Limit,
		})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table { return conversationTable(r.GetConversations()...) })
	})
}

// conversationsMessagesCommand lists what was said.
type conversationsMessagesCommand struct {
	ID    string `arg:"" help:"The conversation's id, as knobot conversations prints it."`
	Limit int32  `short:"n" default:"50" help:"How many, at most 1000."`
}

// Run prints one line per message.
func (c conversationsMessagesCommand) Run(ctx context.Context, s session) error {
	return onConversations(ctx, s, func(ctx context.Context, client conversationv1.ConversationServiceClient) error {
		r, err := client.ListMessages(ctx, &conversationv1.ListMessagesRequest{ConversationId: c.ID, PageSize: c.Limit})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table {
			t := present.Table{Header: []string{"TIME", "WHO", "STATE", "DELIVERY", "TEXT", "ERROR"}}
			for _, m := range r.GetMessages() {
				t.Add(moment(m.GetCreateTime()), word(m.GetRole().String(), "ROLE_"), word(m.GetState().String(), "STATE_"),
					delivery(m), m.GetText(), m.GetError())
			}
			return t
		})
	})
}

// delivery is how far a message of ours came.
func delivery(m *conversationv1.Message) string {
	if m.GetDeliveryState() == conversationv1.DeliveryState_DELIVERY_STATE_UNSPECIFIED {
		return ""
	}
	return word(m.GetDeliveryState().String(), "DELIVERY_STATE_")
}

// conversationsResumeCommand ends the bot's silence.
type conversationsResumeCommand struct {
	ID string `arg:"" help:"The conversation's id, as knobot conversations prints it."`
}

// Run ends it and shows the conversation.
func (c conversationsResumeCommand) Run(ctx context.Context, s session) error {
	return onConversations(ctx, s, func(ctx context.Context, client conversationv1.ConversationServiceClient) error {
		r, err := client.ResumeConversation(ctx, &conversationv1.ResumeConversationRequest{Id: c.ID})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table { return conversationTable(r.GetConversation()) })
	})
}

// conversationsCloseCommand ends a conversation.
type conversationsCloseCommand struct {
	ID string `arg:"" help:"The conversation's id, as knobot conversations prints it."`
}

// Run ends it and shows the conversation.
func (c conversationsCloseCommand) Run(ctx context.Context, s session) error {
	return onConversations(ctx, s, func(ctx context.Context, client conversationv1.ConversationServiceClient) error {
		r, err := client.CloseConversation(ctx, &conversationv1.CloseConversationRequest{Id: c.ID})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table { return conversationTable(r.GetConversation()) })
	})
}

func conversationTable(list ...*conversationv1.Conversation) present.Table {
	t := present.Table{Header: []string{"ID", "PLATFORM", "WITH", "STATE", "LAST MESSAGE", "LAST OUTCOME", "BOT PAUSED UNTIL", "COST"}}
	for _, c := range list {
		t.Add(c.GetId(), c.GetMetadata()["platform"], c.GetMetadata()["platform_user_id"], word(c.GetState().String(), "STATE_"),
			moment(c.GetLastMessageTime()), c.GetLastOutcome(), moment(c.GetBotPausedUntil()),
			float64(c.GetUsage().GetCostMicros())/micros)
	}
	return t
}
