package opinions_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/answerer"
	"github.com/knobot/knobot/services/conversation/internal/opinions"
	"github.com/knobot/knobot/services/conversation/internal/peer/peertest"
)

// shelf holds opinions that are to be told.
type shelf struct {
	untold []conversation.Opinion
	told   []conversation.Opinion
	looks  int
	// erased says that the answers are no more.
	erased bool
}

func (s *shelf) UntoldFeedback(context.Context, int) ([]conversation.Opinion, error) {
	s.looks++
	return s.untold, nil
}

func (s *shelf) FeedbackTold(_ context.Context, o conversation.Opinion) error {
	s.told = append(s.told, o)
	if s.erased {
		return conversation.ErrNotFound
	}
	return nil
}

// book is rag, which says what a test wants to each knowledge base.
type book struct {
	ragv1.UnimplementedFeedbackServiceServer
	errs map[string]error
	got  []*ragv1.RecordFeedbackRequest
}

func (b *book) RecordFeedback(_ context.Context, r *ragv1.RecordFeedbackRequest) (*ragv1.RecordFeedbackResponse, error) {
	b.got = append(b.got, r)
	return &ragv1.RecordFeedbackResponse{}, b.errs[r.GetKnowledgeBase()]
}

func opinion(kb string, f conversation.Feedback) conversation.Opinion {
	return conversation.Opinion{Message: "m", Request: "r-" + conversation.RequestID(kb), KnowledgeBase: kb, Documents: []string{"d1"}, Feedback: f}
}

func TestTell(t *testing.T) {
	t.Parallel()
	b := &book{errs: map[string]error{
		"gone": fault.New(fault.NotFound, "KNOWLEDGE_BASE_NOT_FOUND", "x"), "bad": fault.New(fault.Invalid, "REQUEST_ID", "x"),
		"away": fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "x"),
	}}
	conn := peertest.Serve(t, func(s *grpc.Server) { ragv1.RegisterFeedbackServiceServer(s, b) })
	s := &shelf{untold: []conversation.Opinion{
		opinion("a", conversation.Liked), opinion("b", conversation.Disliked), opinion("c", conversation.Unrated),
		opinion("gone", conversation.Liked), opinion("bad", conversation.Liked), opinion("away", conversation.Liked), opinion("z", conversation.Liked),
	}}
	err := opinions.NewTeller(s, answerer.NewFeedback(conn), zap.NewNop()).Tell(t.Context())
	require.ErrorContains(t, err, "DATABASE_UNAVAILABLE")
	require.Equal(t, s.untold[:5], s.told, "what nobody will ever take counts as told")
	require.Len(t, b.got, 6)
	require.True(t, b.got[0].GetPositive())
	require.Equal(t, "r-a", b.got[0].GetRequestId())
	require.Equal(t, []string{"d1"}, b.got[0].GetDocumentIds())
	require.False(t, *b.got[1].Positive)
	require.Nil(t, b.got[2].Positive, "taken back")
}

func TestOpinionOfAnErasedCustomerIsTakenBack(t *testing.T) {
	t.Parallel()
	b := &book{}
	conn := peertest.Serve(t, func(s *grpc.Server) { ragv1.RegisterFeedbackServiceServer(s, b) })
	s := &shelf{untold: []conversation.Opinion{opinion("a", conversation.Liked)}, erased: true}
	require.NoError(t, opinions.NewTeller(s, answerer.NewFeedback(conn), zap.NewNop()).Tell(t.Context()))
	require.Len(t, b.got, 2)
	require.Equal(t, "r-a", b.got[1].GetRequestId())
	require.Nil(t, b.got[1].Positive)
}

// refusing fails every time.
type refusing struct{}

func (refusing) Tell(context.Context, conversation.Opinion) error {
	return &conversation.PeerError{Verdict: conversation.Away, Reason: "PEER_AWAY"}
}

func TestFailureIsWaitedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{untold: []conversation.Opinion{opinion("a", conversation.Liked)}}
		ctx, cancel := context.WithTimeout(t.Context(), 59*time.Second)
		defer cancel()
		require.NoError(t, opinions.NewTeller(s, refusing{}, zap.NewNop()).Run(ctx))
		require.Equal(t, 4, s.looks, "every 15 s")
		s.untold, s.looks = nil, 0
		ctx, cancel = context.WithTimeout(t.Context(), 11*time.Second)
		defer cancel()
		require.NoError(t, opinions.NewTeller(s, refusing{}, zap.NewNop()).Run(ctx))
		require.Equal(t, 6, s.looks, "every 2 s")
	})
}
