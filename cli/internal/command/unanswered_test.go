package command_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/knobot/knobot/cli/internal/command"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// library has one question that nobody answers, one document that is disliked, and a best threshold where a test says so.
type library struct {
	ragv1.UnimplementedFeedbackServiceServer
	ragv1.UnimplementedEvaluationServiceServer
	ragv1.UnimplementedKnowledgeBaseServiceServer
	best    *float64
	useful  float64
	asked   *ragv1.ListUnansweredQuestionsRequest
	updated *ragv1.UpdateKnowledgeBaseRequest
}

func (l *library) ListUnansweredQuestions(_ context.Context, r *ragv1.ListUnansweredQuestionsRequest) (*ragv1.ListUnansweredQuestionsResponse, error) {
	l.asked = r
	return &ragv1.ListUnansweredQuestionsResponse{Questions: []*ragv1.UnansweredQuestion{{
		Id: "q1", Question: "¿Venden \x1b[31mpatines?", Count: 7, Language: "es",
		LastTime: timestamppb.New(time.Date(2026, 11, 26, 15, 4, 5, 0, time.Local)),
	}}}, nil
}

func (l *library) ListDocumentFeedback(context.Context, *ragv1.ListDocumentFeedbackRequest) (*ragv1.ListDocumentFeedbackResponse, error) {
	return &ragv1.ListDocumentFeedbackResponse{Documents: []*ragv1.DocumentFeedback{{DocumentName: "envios.md", Positive: 1, Negative: 3}}}, nil
}

func (l *library) DismissUnansweredQuestion(_ context.Context, r *ragv1.DismissUnansweredQuestionRequest) (*ragv1.DismissUnansweredQuestionResponse, error) {
	if r.GetId() != "q1" {
		return nil, status.Error(codes.NotFound, "there is no unanswered question with this id")
	}
	return &ragv1.DismissUnansweredQuestionResponse{}, nil
}

func (l *library) Evaluate(stream grpc.ClientStreamingServer[ragv1.EvaluateRequest, ragv1.EvaluateResponse]) error {
	for {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			return stream.SendAndClose(&ragv1.EvaluateResponse{Threshold: 0.35, BestThreshold: l.best, UsefulAtBest: 0.7, Total: &ragv1.Metrics{Questions: 1, Useful: l.useful}})
		} else if err != nil {
			return err
		}
	}
}

func (l *library) UpdateKnowledgeBase(_ context.Context, r *ragv1.UpdateKnowledgeBaseRequest) (*ragv1.UpdateKnowledgeBaseResponse, error) {
	l.updated = r
	return &ragv1.UpdateKnowledgeBaseResponse{KnowledgeBase: r.GetKnowledgeBase()}, nil
}

// serve starts it and returns how to run a command against it.
func (l *library) serve(t *testing.T) func(args ...string) (code int, out, errs string) {
	t.Helper()
	server := grpc.NewServer()
	ragv1.RegisterFeedbackServiceServer(server, l)
	ragv1.RegisterEvaluationServiceServer(server, l)
	ragv1.RegisterKnowledgeBaseServiceServer(server, l)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return func(args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		code := command.Run(t.Context(), append(args, "--server", listener.Addr().String()), nil, &out, &errs)
		return code, out.String(), errs.String()
	}
}

func TestUnanswered(t *testing.T) {
	t.Parallel()
	service := &library{}
	run := service.serve(t)

	code, out, _ := run("unanswered", "-n", "3", "--knowledge-base", "otra")
	require.Zero(t, code)
	require.EqualValues(t, 3, service.asked.GetPageSize())
	require.Equal(t, "otra", service.asked.GetKnowledgeBase())
	require.Regexp(t, `7 +2026-11-26 15:04:05 +es +q1 +¿Venden  \[31mpatines\?\n`, out)
	require.Regexp(t, `DISLIKED +LIKED +DOCUMENT\n3 +1 +envios.md\n`, out)

	code, out, _ = run("unanswered", "dismiss", "q1")
	require.Zero(t, code)
	require.Equal(t, "dismissed\n", out)

	code, _, errs := run("unanswered", "dismiss", "q2")
	require.Equal(t, 4, code)
	require.Contains(t, errs, "there is no unanswered question with this id")
}

func TestEvalApply(t *testing.T) {
	t.Parallel()
	questions := filepath.Join(t.TempDir(), "questions.jsonl")
	require.NoError(t, os.WriteFile(questions, []byte(`{"question": "¿Abren?", "answers": ["sí"]}`), 0o600))
	service := &library{best: proto.Float64(0.28)}
	run := service.serve(t)

	code, _, _ := run("eval", questions)
	require.Zero(t, code)
	require.Nil(t, service.updated, "only when asked to")

	code, _, errs := run("eval", "--apply", "--knowledge-base", "otra", questions)
	require.Zero(t, code, errs)
	require.Contains(t, errs, "The threshold of otra is 0.2800 now.")
	require.Equal(t, "otra", service.updated.GetKnowledgeBase().GetName())
	require.InDelta(t, 0.28, service.updated.GetKnowledgeBase().GetAnswerThreshold(), 1e-9)
	require.Equal(t, []string{"answer_threshold"}, service.updated.GetUpdateMask().GetPaths())

	service.useful, service.updated = 0.7, nil
	code, _, errs = run("eval", "--apply", questions)
	require.Zero(t, code)
	require.Contains(t, errs, "The threshold of default stays 0.3500")
	require.Nil(t, service.updated)

	service.best = nil
	code, _, errs = run("eval", "--apply", questions)
	require.Equal(t, 1, code)
	require.Contains(t, errs, "tell no best threshold")
}
