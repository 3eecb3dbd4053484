package command

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// bases are knowledge bases on the wire, indexed anew by the second time that they are asked for.
type bases struct {
	ragv1.UnimplementedKnowledgeBaseServiceServer
	mu     sync.Mutex
	asked  map[string]int
	begun  []string
	listed []string
}

func (b *bases) ListKnowledgeBases(context.Context, *ragv1.ListKnowledgeBasesRequest) (*ragv1.ListKnowledgeBasesResponse, error) {
	r := &ragv1.ListKnowledgeBasesResponse{}
	for _, name := range b.listed {
		r.KnowledgeBases = append(r.KnowledgeBases, &ragv1.KnowledgeBase{Name: name})
	}
	return r, nil
}

func (b *bases) ReindexKnowledgeBase(_ context.Context, r *ragv1.ReindexKnowledgeBaseRequest) (*ragv1.ReindexKnowledgeBaseResponse, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.begun = append(b.begun, r.GetName())
	return &ragv1.ReindexKnowledgeBaseResponse{}, nil
}

func (b *bases) GetKnowledgeBase(_ context.Context, r *ragv1.GetKnowledgeBaseRequest) (*ragv1.GetKnowledgeBaseResponse, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked[r.GetName()]++
	return &ragv1.GetKnowledgeBaseResponse{KnowledgeBase: &ragv1.KnowledgeBase{
		Name: r.GetName(), PassageCount: 7, Reindexing: b.asked[r.GetName()] < 2,
	}}, nil
}

func TestReindexWaitsForAllKnowledgeBases(t *testing.T) {
	t.Parallel()
	b := &bases{asked: map[string]int{}, listed: []string{"default", "otra"}}
	server := grpc.NewServer()
	ragv1.RegisterKnowledgeBaseServiceServer(server, b)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	var out, errOut bytes.Buffer
	require.Equal(t, exitOK, Run(t.Context(), []string{"reindex", "--server", listener.Addr().String(), "--all"}, nil, &out, &errOut), errOut.String())
	require.Equal(t, "default: 7 passages indexed anew\notra: 7 passages indexed anew\n", out.String())
	require.Equal(t, []string{"default", "otra"}, b.begun)
}
