package answerer

import (
	"context"
	"time"

	"google.golang.org/grpc"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/peer"
)

// feedbackTimeout bounds telling one opinion.
const feedbackTimeout = 5 * time.Second

// Feedback tells rag what customers thought of its answers.
type Feedback struct {
	conn *grpc.ClientConn
	book ragv1.FeedbackServiceClient
}

// NewFeedback returns one over a connection.
func NewFeedback(conn *grpc.ClientConn) *Feedback {
	return &Feedback{conn: conn, book: ragv1.NewFeedbackServiceClient(conn)}
}

// Tell tells an opinion, which takes the place of one that was told before. A knowledge base that is gone wants to know
// nothing. Returns a *PeerError.
func (f *Feedback) Tell(ctx context.Context, o conversation.Opinion) error {
	if err := peer.Present(f.conn); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, feedbackTimeout)
	defer cancel()
	r := &ragv1.RecordFeedbackRequest{RequestId: string(o.Request), KnowledgeBase: o.KnowledgeBase, DocumentIds: o.Documents}
	if o.Feedback != conversation.Unrated {
		liked := o.Feedback == conversation.Liked
		r.Positive = &liked
	}
	_, err := f.book.RecordFeedback(ctx, r)
	if err == nil || fault.IsKind(err, fault.NotFound) {
		return nil
	}
	return peer.Error(err)
}
