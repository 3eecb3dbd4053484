package command_test

import (
	"bytes"
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/knobot/knobot/cli/internal/command"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
)

// conversations knows one conversation, which is paused until it is resumed.
type conversations struct {
	conversationv1.UnimplementedConversationServiceServer
	asked int32
}

func (c *conversations) ListConversations(_ context.Context, r *conversationv1.ListConversationsRequest) (*conversationv1.ListConversationsResponse, error) {
	c.asked = r.GetPageSize()
	talk := theConversation()
	talk.BotPausedUntil = timestamppb.New(time.Date(2026, 11, 26, 15, 4, 5, 0, time.Local))
	talk.Usage = &conversationv1.ModelUsage{CostMicros: 1500}
	return &conversationv1.ListConversationsResponse{Conversations: []*conversationv1.Conversation{talk}}, nil
}

func (c *conversations) ResumeConversation(_ context.Context, r *conversationv1.ResumeConversationRequest) (*conversationv1.ResumeConversationResponse, error) {
	if r.GetId() != theConversation().GetId() {
		return nil, status.Error(codes.NotFound, "there is none with this id")
	}
	return &conversationv1.ResumeConversationResponse{Conversation: theConversation()}, nil
}

func theConversation() *conversationv1.Conversation {
	return &conversationv1.Conversation{
		Id: "c1", State: conversationv1.Conversation_STATE_ACTIVE, Metadata: map[string]string{"platform": "telegram", "platform_user_id": "7"},
	}
}

func TestConversations(t *testing.T) {
	t.Parallel()
	service := &conversations{}
	server := grpc.NewServer()
	conversationv1.RegisterConversationServiceServer(server, service)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	run := func(args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		code := command.Run(t.Context(), append(args, "--server", listener.Addr().String()), nil, &out, &errs)
		return code, out.String(), errs.String()
	}

	code, out, _ := run("conversations", "-n", "3")
	require.Zero(t, code)
	require.EqualValues(t, 3, service.asked)
	require.Regexp(t, `c1 +telegram +7 +active .* 2026-11-26 15:04:05 +0.0015\n`, out)

	code, out, _ = run("conversations", "resume", "c1")
	require.Zero(t, code)
	require.Regexp(t, `c1 +telegram +7 +active .* - +0\n`, out)

	code, _, errs := run("conversations", "resume", "c2")
	require.Equal(t, 4, code)
	require.Contains(t, errs, "there is none with this id")
}
