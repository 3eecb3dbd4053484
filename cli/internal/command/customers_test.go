package command_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/knobot/knobot/cli/internal/command"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
)

// customers is a conversation service with one customer, u1.
type customers struct {
	conversationv1.UnimplementedUserServiceServer
	conversationv1.UnimplementedConversationServiceServer
	conversationv1.UnimplementedSubscriptionServiceServer
	erased     bool
	handedOver *conversationv1.HandOverConversationRequest
	replies    map[string]string // by request id
	created    *conversationv1.Subscription
}

func (c *customers) ExportUser(r *conversationv1.ExportUserRequest, stream grpc.ServerStreamingServer[conversationv1.ExportUserResponse]) error {
	for _, piece := range []string{`{"user":`, `"Ana"}`} {
		if err := stream.Send(&conversationv1.ExportUserResponse{Body: &httpbody.HttpBody{Data: []byte(piece)}}); err != nil {
			return err
		}
	}
	if r.GetId() != "u1" {
		return status.Error(codes.Unavailable, "it broke off")
	}
	return nil
}

func (c *customers) DeleteUser(_ context.Context, r *conversationv1.DeleteUserRequest) (*conversationv1.DeleteUserResponse, error) {
	c.erased = true
	return &conversationv1.DeleteUserResponse{Erasure: &conversationv1.Erasure{UserId: r.GetId()}}, nil
}

func (c *customers) GetErasure(context.Context, *conversationv1.GetErasureRequest) (*conversationv1.GetErasureResponse, error) {
	return &conversationv1.GetErasureResponse{Erasure: &conversationv1.Erasure{UserId: "u1", State: conversationv1.Erasure_STATE_DONE}}, nil
}

func (c *customers) HandOverConversation(_ context.Context, r *conversationv1.HandOverConversationRequest) (*conversationv1.HandOverConversationResponse, error) {
	c.handedOver = r
	return &conversationv1.HandOverConversationResponse{Conversation: &conversationv1.Conversation{Id: r.GetId()}}, nil
}

func (c *customers) ReplyToConversation(_ context.Context, r *conversationv1.ReplyToConversationRequest) (*conversationv1.ReplyToConversationResponse, error) {
	c.replies[r.GetRequestId()] = r.GetText()
	return &conversationv1.ReplyToConversationResponse{}, nil
}

func (c *customers) CreateSubscription(_ context.Context, r *conversationv1.CreateSubscriptionRequest) (*conversationv1.CreateSubscriptionResponse, error) {
	c.created = r.GetSubscription()
	return &conversationv1.CreateSubscriptionResponse{Subscription: c.created, Secret: "whsec_x"}, nil
}

func (c *customers) ListSubscriptions(context.Context, *conversationv1.ListSubscriptionsRequest) (*conversationv1.ListSubscriptionsResponse, error) {
	return &conversationv1.ListSubscriptionsResponse{Subscriptions: []*conversationv1.Subscription{
		{Id: "s1", Url: "https://shop.example/hooks", EventTypes: []string{"message.received"}, DisabledCause: "GONE"},
	}}, nil
}

func TestCustomers(t *testing.T) {
	t.Parallel()
	service := &customers{replies: map[string]string{}}
	server := grpc.NewServer()
	conversationv1.RegisterUserServiceServer(server, service)
	conversationv1.RegisterConversationServiceServer(server, service)
	conversationv1.RegisterSubscriptionServiceServer(server, service)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	run := func(args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		code := command.Run(t.Context(), append(args, "--server", listener.Addr().String()), nil, &out, &errs)
		return code, out.String(), errs.String()
	}

	file := filepath.Join(t.TempDir(), "ana.json")
	code, _, errs := run("users", "export", "u1", "-o", file)
	require.Zero(t, code, errs)
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	require.JSONEq(t, `{"user":"Ana"}`, string(kept))
	half := filepath.Join(t.TempDir(), "half.json")
	code, _, _ = run("users", "export", "u2", "-o", half)
	require.Equal(t, 5, code)
	require.NoFileExists(t, half, "what broke off is no export")

	code, _, errs = run("users", "erase", "u1")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "--yes")
	require.False(t, service.erased)
	code, _, _ = run("users", "erase", "u1", "--yes")
	require.Zero(t, code)
	require.True(t, service.erased)
	_, out, _ := run("users", "erasure", "u1")
	require.Regexp(t, `u1 +done `, out)

	code, _, _ = run("conversations", "hand-over", "c1", "--staff", "Eva", "--reason", "enfadado")
	require.Zero(t, code)
	require.Equal(t, "Eva", service.handedOver.GetStaff())
	for range 2 {
		code, _, _ = run("conversations", "reply", "c1", "ya voy")
		require.Zero(t, code)
	}
	require.Len(t, service.replies, 2, "two commands are two replies")

	_, out, _ = run("subscriptions", "create", "https://shop.example/hooks", "--events", "message.failed")
	require.Equal(t, "whsec_x\n", out, "nothing but the secret, so that it can be piped")
	require.Equal(t, []string{"message.failed"}, service.created.GetEventTypes())
	_, out, _ = run("subscriptions")
	require.Regexp(t, `s1 +https://shop.example/hooks +message.received +- +disabled +GONE\n`, out)
}
