package rpcapi

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/rag/internal/evaluation"
)

// maxQuestions bounds what one evaluation holds in memory.
const maxQuestions = 10_000

// evaluationTopK is how many passages are looked at when nobody says: enough for every measure.
const evaluationTopK = 10

// Evaluator asks questions and judges the answers.
type Evaluator interface {
	// Ask returns Invalid, NotFound, Precondition or Unavailable.
	Ask(ctx context.Context, o evaluation.Options, q evaluation.Question) (evaluation.Result, error)
}

// Evaluations serves EvaluationService.
type Evaluations struct {
	ragv1.UnimplementedEvaluationServiceServer
	evaluator Evaluator
}

// NewEvaluations returns the handlers of EvaluationService.
func NewEvaluations(evaluator Evaluator) *Evaluations { return &Evaluations{evaluator: evaluator} }

// Evaluate asks as the questions come in.
func (s *Evaluations) Evaluate(stream grpc.ClientStreamingServer[ragv1.EvaluateRequest, ragv1.EvaluateResponse]) error {
	first, err := stream.Recv()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if first.GetOptions() == nil {
		return fault.New(fault.Invalid, "OPTIONS_REQUIRED", "the options must come first")
	}
	results, err := s.ask(stream, evaluationOptions(first.GetOptions()))
	if err != nil {
		return err
	}
	return stream.SendAndClose(evaluationProto(results, first.GetOptions()))
}

func (s *Evaluations) ask(
	stream grpc.ClientStreamingServer[ragv1.EvaluateRequest, ragv1.EvaluateResponse], o evaluation.Options,
) ([]evaluation.Result, error) {
	var results []evaluation.Result
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return results, nil
		}
		if err != nil {
			return nil, err
		}
		q, err := evaluationQuestion(r.GetQuestion())
		if err == nil && len(results) == maxQuestions {
			err = fault.New(fault.Invalid, "TOO_MANY_QUESTIONS", "an evaluation takes at most 10,000 questions")
		}
		if err != nil {
			return nil, err
		}
		result, err := s.evaluator.Ask(stream.Context(), o, q)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
}

func evaluationOptions(o *ragv1.EvaluateOptions) evaluation.Options {
	out := evaluation.Options{KnowledgeBase: knowledgeBase(o.GetKnowledgeBase()), TopK: evaluationTopK, Threshold: o.Threshold}
	if o.TopK != nil {
		out.TopK = int(o.GetTopK())
	}
	return out
}

func evaluationQuestion(q *ragv1.EvaluationQuestion) (evaluation.Question, error) {
	list := turns(q.GetTurns())
	if len(list) == 0 {
		return evaluation.Question{}, fault.New(fault.Invalid, "TURNS_REQUIRED", "every question needs at least one turn")
	}
	for _, answer := range q.GetAnswers() {
		if answer == "" {
			return evaluation.Question{}, fault.New(fault.Invalid, "ANSWER_EMPTY", "an empty text stands in every answer and judges nothing")
		}
	}
	return evaluation.Question{
		ID: q.GetId(), Turns: list, Answers: q.GetAnswers(), Documents: q.GetDocuments(), Kind: q.GetKind(),
	}, nil
}
