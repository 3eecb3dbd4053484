package rpcapi

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	rag "github.com/knobot/knobot/services/rag"
)

// Answerer composes answers.
type Answerer interface {
	// GenerateAnswer returns Invalid, NotFound, Precondition or Unavailable.
	GenerateAnswer(ctx context.Context, req rag.Request) (rag.Answer, error)
	// Capabilities says what the model can do.
	Capabilities() rag.Capabilities
	// StreamAnswer is GenerateAnswer, and shows drafts while a model writes.
	StreamAnswer(ctx context.Context, req rag.Request, show func(draft string)) (rag.Answer, error)
	// Streams tells whether StreamAnswer ever shows drafts.
	Streams() bool
}

// Eraser removes what is kept of customers.
type Eraser interface {
	// Forget returns Invalid for what cannot be a customer's key or the name of an answer.
	Forget(ctx context.Context, customerKey string, requests []string) error
}

// Answers serves AnswerService.
type Answers struct {
	ragv1.UnimplementedAnswerServiceServer
	answerer    Answerer
	transcriber Transcriber
	eraser      Eraser
}

// NewAnswers returns the handlers of AnswerService.
func NewAnswers(answerer Answerer, transcriber Transcriber, eraser Eraser) *Answers {
	return &Answers{answerer: answerer, transcriber: transcriber, eraser: eraser}
}

// Forget removes what is kept of a customer.
func (s *Answers) Forget(ctx context.Context, r *ragv1.ForgetRequest) (*ragv1.ForgetResponse, error) {
	if err := s.eraser.Forget(ctx, r.GetCustomerKey(), r.GetRequestIds()); err != nil {
		return nil, err
	}
	return &ragv1.ForgetResponse{}, nil
}

// GenerateAnswer answers a customer's open messages.
func (s *Answers) GenerateAnswer(ctx context.Context, r *ragv1.GenerateAnswerRequest) (*ragv1.GenerateAnswerResponse, error) {
	answer, err := s.answerer.GenerateAnswer(ctx, request(r))
	if err != nil {
		return nil, err
	}
	return answerProto(answer), nil
}

// streamTimeout ends a streamed answer whose caller set no end.
const streamTimeout = time.Minute

// StreamAnswer answers a customer's open messages and shows the answer while it is written.
func (s *Answers) StreamAnswer(r *ragv1.StreamAnswerRequest, stream grpc.ServerStreamingServer[ragv1.StreamAnswerResponse]) error {
	ctx, cancel := context.WithTimeout(stream.Context(), streamTimeout)
	defer cancel()
	answer, err := s.answerer.StreamAnswer(ctx, request(r.GetRequest()), func(draft string) {
		if stream.Send(draftProto(draft)) != nil {
			cancel() // nobody reads any more
		}
	})
	if err != nil {
		return err
	}
	return stream.Send(&ragv1.StreamAnswerResponse{Part: &ragv1.StreamAnswerResponse_Answer{Answer: answerProto(answer)}})
}

func draftProto(draft string) *ragv1.StreamAnswerResponse {
	return &ragv1.StreamAnswerResponse{Part: &ragv1.StreamAnswerResponse_Draft{Draft: draft}}
}

func request(r *ragv1.GenerateAnswerRequest) rag.Request {
	if r == nil {
		r = &ragv1.GenerateAnswerRequest{} // refused like one without turns
	}
	return rag.Request{
		ID:            r.GetRequestId(),
		KnowledgeBase: knowledgeBase(r.GetKnowledgeBase()),
		Turns:         turns(r.GetTurns()),
		Open:          int(r.GetOpenTurns()),
		TopK:          topK(r.TopK),
		Retrieve:      r.RagEnabled == nil || r.GetRagEnabled(),
		Language:      rag.Language(r.GetLanguage()),
		HumanContact:  r.GetHumanContact(),
		CustomerKey:   r.GetCustomerKey(),
	}
}

func turns(list []*ragv1.Turn) []rag.Turn {
	out := make([]rag.Turn, len(list))
	for i, t := range list {
		out[i] = rag.Turn{Role: role(t.GetRole()), Text: t.GetText(), Context: t.GetContext()}
		for _, id := range t.GetCitedPassageIds() {
			out[i].Rests = append(out[i].Rests, rag.PassageID(id))
		}
		for _, m := range t.GetMedia() {
			out[i].Files = append(out[i].Files, m.GetContent())
		}
	}
	return out
}

// role is 0, which is refused, for a writer that we do not know.
func role(r ragv1.Turn_Role) rag.Role {
	switch r {
	case ragv1.Turn_ROLE_CUSTOMER:
		return rag.Customer
	case ragv1.Turn_ROLE_ASSISTANT:
		return rag.Assistant
	case ragv1.Turn_ROLE_STAFF:
		return rag.Staff
	}
	return 0
}

func answerProto(a rag.Answer) *ragv1.GenerateAnswerResponse {
	out := &ragv1.GenerateAnswerResponse{
		Text:       a.Text,
		Outcome:    outcomeProto(a.Outcome),
		Mode:       modeProto(a.Mode),
		Language:   string(a.Language),
		Confidence: a.Confidence,
		Usage: &ragv1.Usage{
			Model: a.Usage.Model, InputTokens: a.Usage.InputTokens, OutputTokens: a.Usage.OutputTokens,
			CostMicros: a.Usage.CostMicros, ModelDuration: durationpb.New(a.ModelTime),
		},
	}
	for _, c := range a.Citations {
		out.Citations = append(out.Citations, &ragv1.Citation{
			DocumentId: string(c.Document), Title: c.Title, SourceUri: c.SourceURI, PassageId: string(c.Passage),
		})
	}
	for _, s := range a.Suggestions {
		out.Suggestions = append(out.Suggestions, &ragv1.Suggestion{Title: s.Title, Question: s.Question})
	}
	return out
}

func outcomeProto(o rag.Outcome) ragv1.Outcome {
	switch o {
	case rag.Answered:
		return ragv1.Outcome_OUTCOME_ANSWERED
	case rag.Declined:
		return ragv1.Outcome_OUTCOME_DECLINED
	case rag.SmallTalk:
		return ragv1.Outcome_OUTCOME_SMALLTALK
	case rag.Handoff:
		return ragv1.Outcome_OUTCOME_HANDOFF
	case rag.Unsure:
		return ragv1.Outcome_OUTCOME_UNSURE
	}
	return ragv1.Outcome_OUTCOME_UNSPECIFIED
}

func modeProto(m rag.Mode) ragv1.Mode {
	switch m {
	case rag.Extractive:
		return ragv1.Mode_MODE_EXTRACTIVE
	case rag.Generated:
		return ragv1.Mode_MODE_GENERATED
	case rag.Canned:
		return ragv1.Mode_MODE_CANNED
	}
	return ragv1.Mode_MODE_UNSPECIFIED
}
