package command

import (
	"bytes"
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// bill is a rag service with two pages of usage.
type bill struct {
	ragv1.UnimplementedUsageServiceServer
}

func (bill) ListUsage(_ context.Context, r *ragv1.ListUsageRequest) (*ragv1.ListUsageResponse, error) {
	day := &ragv1.DailyUsage{Day: r.GetStartDay(), KnowledgeBase: "default", Model: "openai/m", Answers: 3, InputTokens: 900, OutputTokens: 60, CostMicros: 1500}
	if r.GetPageToken() == "" {
		return &ragv1.ListUsageResponse{Usage: []*ragv1.DailyUsage{day}, NextPageToken: "2"}, nil
	}
	return &ragv1.ListUsageResponse{Usage: []*ragv1.DailyUsage{{Day: "2026-11-27", KnowledgeBase: "otra", Model: "openai/m"}}}, nil
}

func TestUsageIsShownWhole(t *testing.T) {
	t.Parallel()
	server := grpc.NewServer()
	ragv1.RegisterUsageServiceServer(server, bill{})
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	var out, errs bytes.Buffer
	require.Equal(t, exitOK, Run(t.Context(), []string{"usage", "--from", "2026-11-26", "--server", listener.Addr().String()}, nil, &out, &errs), errs.String())
	require.Regexp(t, `2026-11-26 +default +openai/m +3 +900 +60 +0\.0015\n`, out.String())
	require.Regexp(t, `2026-11-27 +otra +openai/m +0 +0 +0 +0\n`, out.String())
}
