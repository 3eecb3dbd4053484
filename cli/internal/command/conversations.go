package command

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
)

// conversationsCommand lists conversations and ends the bot's silence in one.
type conversationsCommand struct {
	List   conversationsListCommand   `cmd:"" default:"withargs" help:"List the newest conversations, and where the bot keeps silent because staff wrote."`
	Resume conversationsResumeCommand `cmd:"" help:"Let the bot answer again at once after staff wrote."`
}

// conversationsListCommand lists conversations, newest first.
type conversationsListCommand struct {
	conversationPeer
	Limit int32 `short:"n" default:"10" help:"How many, at most 1000."`
}

// Run prints one line per conversation.
func (c conversationsListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(ctx context.Context, client conversationv1.ConversationServiceClient) error {
		r, err := client.ListConversations(ctx, &conversationv1.ListConversationsRequest{PageSize: c.Limit})
		if err != nil {
			return err
		}
		return printConversations(s.out, r.GetConversations())
	})
}

// conversationsResumeCommand ends the bot's silence.
type conversationsResumeCommand struct {
	conversationPeer
	ID string `arg:"" help:"The conversation's id, as knobot conversations prints it."`
}

// Run ends it and shows the conversation.
func (c conversationsResumeCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(ctx context.Context, client conversationv1.ConversationServiceClient) error {
		r, err := client.ResumeConversation(ctx, &conversationv1.ResumeConversationRequest{Id: c.ID})
		if err != nil {
			return err
		}
		return printConversations(s.out, []*conversationv1.Conversation{r.GetConversation()})
	})
}

func (p conversationPeer) with(ctx context.Context, f func(context.Context, conversationv1.ConversationServiceClient) error) error {
	conn, err := dial(p.Conversation)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return f(ctx, conversationv1.NewConversationServiceClient(conn))
}

func printConversations(out io.Writer, list []*conversationv1.Conversation) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tPLATFORM\tWITH\tSTATE\tLAST MESSAGE\tBOT PAUSED UNTIL")
	for _, c := range list {
		paused := "-"
		if c.GetBotPausedUntil() != nil {
			paused = clock(c.GetBotPausedUntil().AsTime())
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", c.GetId(), c.GetMetadata()["platform"], orDash(c.GetMetadata()["platform_user_id"]),
			strings.ToLower(strings.TrimPrefix(c.GetState().String(), "STATE_")), clock(c.GetLastMessageTime().AsTime()), paused)
	}
	return w.Flush()
}
