package command

import (
	"context"

	"github.com/google/uuid"

	"github.com/knobot/knobot/cli/internal/present"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
)

// conversationsHandOverCommand gives the word to staff.
type conversationsHandOverCommand struct {
	ID     string `arg:"" help:"The conversation's id, as knobot conversations prints it."`
	Staff  string `help:"Who takes over, for others to see."`
	Reason string `help:"What for."`
}

// Run hands it over and shows the conversation.
func (c conversationsHandOverCommand) Run(ctx context.Context, s session) error {
	return onConversations(ctx, s, func(ctx context.Context, client conversationv1.ConversationServiceClient) error {
		r, err := client.HandOverConversation(ctx, &conversationv1.HandOverConversationRequest{Id: c.ID, Staff: c.Staff, Reason: c.Reason})
		if err != nil {
			return err
		}
		return s.show(r, func() present.Table { return conversationTable(r.GetConversation()) })
	})
}

// conversationsReplyCommand writes to a customer.
type conversationsReplyCommand struct {
	ID   string `arg:"" help:"The conversation's id, as knobot conversations prints it."`
	Text string `arg:"" help:"What to write."`
}

// Run sends it once, however often the call itself is repeated, and keeps the bot silent as a hand-over does.
func (c conversationsReplyCommand) Run(ctx context.Context, s session) error {
	return onConversations(ctx, s, func(ctx context.Context, client conversationv1.ConversationServiceClient) error {
		r, err := client.ReplyToConversation(ctx, &conversationv1.ReplyToConversationRequest{
			ConversationId: c.ID, Text: c.Text, RequestId: uuid.NewString(),
		})
		if err != nil {
			return err
		}
		return s.done(r, "on its way; knobot conversations messages %s shows when it is delivered", c.ID)
	})
}
