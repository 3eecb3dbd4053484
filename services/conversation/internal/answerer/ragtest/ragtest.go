// Package ragtest stands in for rag in tests: a real gRPC server whose answers a test decides.
package ragtest

import (
	"context"
	"sync"
	"testing"

	"google.golang.org/grpc"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/services/conversation/internal/peer/peertest"
)

// Server answers as a test decides.
type Server struct {
	ragv1.UnimplementedAnswerServiceServer
	Conn *grpc.ClientConn

	mu     sync.Mutex
	answer func(context.Context, *ragv1.GenerateAnswerRequest) (string, error)
	stream func(ctx context.Context, q *ragv1.GenerateAnswerRequest, draft func(string)) (string, error)
	dress  func(*ragv1.GenerateAnswerResponse)
	asked  []*ragv1.GenerateAnswerRequest
	senses senses
	// streamed is how many of them asked for a stream.
	streamed  int
	forget    func(*ragv1.ForgetRequest) error
	forgotten []*ragv1.ForgetRequest
}

// New starts one that answers "respuesta a: " and the last question.
func New(t testing.TB) *Server {
	t.Helper()
	r := &Server{answer: func(_ context.Context, q *ragv1.GenerateAnswerRequest) (string, error) {
		return "respuesta a: " + q.GetTurns()[len(q.GetTurns())-1].GetText(), nil
	}}
	r.Conn = peertest.Serve(t, func(s *grpc.Server) { ragv1.RegisterAnswerServiceServer(s, r) })
	return r
}

// OnAnswer changes what it answers.
func (r *Server) OnAnswer(f func(context.Context, *ragv1.GenerateAnswerRequest) (string, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// OnResponse changes what goes along with an answer's text.
func (r *Server) OnResponse(f func(*ragv1.GenerateAnswerResponse)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dress = f
}

func (r *Server) response(text string) *ragv1.GenerateAnswerResponse {
	out := &ragv1.GenerateAnswerResponse{Text: text, Outcome: ragv1.Outcome_OUTCOME_ANSWERED}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dress != nil {
		r.dress(out)
	}
	return out
}

// OnStream makes it stream: f shows drafts and returns the answer. Without it, streams are not implemented.
func (r *Server) OnStream(f func(ctx context.Context, q *ragv1.GenerateAnswerRequest, draft func(string)) (string, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stream = f
}

// Streamed returns how many questions asked for a stream.
func (r *Server) Streamed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.streamed
}

// Asked returns what it was asked so far.
func (r *Server) Asked() []*ragv1.GenerateAnswerRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*ragv1.GenerateAnswerRequest(nil), r.asked...)
}

// GenerateAnswer implements the service.
func (r *Server) GenerateAnswer(ctx context.Context, q *ragv1.GenerateAnswerRequest) (*ragv1.GenerateAnswerResponse, error) {
	r.mu.Lock()
	r.asked = append(r.asked, q)
	answer := r.answer
	r.mu.Unlock()
	text, err := answer(ctx, q)
	if err != nil {
		return nil, err
	}
	return r.response(text), nil
}

// StreamAnswer implements the service. An empty answer ends the stream without one.
func (r *Server) StreamAnswer(q *ragv1.StreamAnswerRequest, stream grpc.ServerStreamingServer[ragv1.StreamAnswerResponse]) error {
	r.mu.Lock()
	answer := r.stream
	if answer != nil {
		r.asked = append(r.asked, q.GetRequest())
	}
	r.streamed++
	r.mu.Unlock()
	if answer == nil {
		return r.UnimplementedAnswerServiceServer.StreamAnswer(q, stream)
	}
	text, err := answer(stream.Context(), q.GetRequest(), func(draft string) {
		_ = stream.Send(&ragv1.StreamAnswerResponse{Part: &ragv1.StreamAnswerResponse_Draft{Draft: draft}})
	})
	if err != nil || text == "" {
		return err
	}
	return stream.Send(&ragv1.StreamAnswerResponse{Part: &ragv1.StreamAnswerResponse_Answer{
		Answer: r.response(text),
	}})
}
