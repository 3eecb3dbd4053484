// Package answerer is the client of rag: it asks for answers.
package answerer

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/peer"
)

// Client asks rag. It implements conversation.Answerer.
type Client struct {
	conn    *grpc.ClientConn
	answers ragv1.AnswerServiceClient
	timeout time.Duration
}

var _ conversation.Answerer = (*Client)(nil)

// New returns a client over a connection that waits so long for an answer.
func New(conn *grpc.ClientConn, timeout time.Duration) *Client {
	return &Client{conn: conn, answers: ragv1.NewAnswerServiceClient(conn), timeout: timeout}
}

// Answer composes an answer to the open messages, each a turn of its own with its text unchanged.
func (c *Client) Answer(ctx context.Context, q conversation.Question) (conversation.Composed, error) {
	if err := peer.Present(c.conn); err != nil {
		return conversation.Composed{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := c.answers.GenerateAnswer(ctx, request(q))
	if err != nil {
		// Most are worth another try: a knowledge base that is missing or a model that is not configured can be put right
		// while the turn waits.
		return conversation.Composed{}, peer.Error(err)
	}
	return answer(r, q)
}

// Stream composes an answer like Answer, and hands over what is written of it meanwhile.
func (c *Client) Stream(ctx context.Context, q conversation.Question, draft func(text string)) (conversation.Composed, error) {
	if err := peer.Present(c.conn); err != nil {
		return conversation.Composed{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel() // ends the stream too
	stream, err := c.answers.StreamAnswer(ctx, &ragv1.StreamAnswerRequest{Request: request(q)})
	for err == nil {
		var part *ragv1.StreamAnswerResponse
		if part, err = stream.Recv(); err != nil {
			break
		}
		if a := part.GetAnswer(); a != nil {
			return answer(a, q)
		}
		if text := part.GetDraft(); text != "" {
			draft(text)
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		return answer(nil, q)
	case status.Code(err) == codes.Unimplemented: // a rag of the version before
		return c.Answer(ctx, q)
	default:
		return conversation.Composed{}, peer.Error(err)
	}
}

func request(q conversation.Question) *ragv1.GenerateAnswerRequest {
	r := &ragv1.GenerateAnswerRequest{
		RequestId: string(q.Request), KnowledgeBase: q.KnowledgeBase, CustomerKey: string(q.Customer), TopK: &q.Passages,
		RagEnabled: &q.RAG, Language: q.Language, HumanContact: q.HumanContact,
	}
	r.Turns, r.OpenTurns = turns(q)
	return r
}

func answer(r *ragv1.GenerateAnswerResponse, q conversation.Question) (conversation.Composed, error) {
	if strings.TrimSpace(r.GetText()) == "" {
		return conversation.Composed{}, &conversation.PeerError{Verdict: conversation.Retry, Reason: "EMPTY_ANSWER"}
	}
	out := conversation.Composed{Text: r.GetText(), Basis: basis(r, q.KnowledgeBase), ModelTime: r.GetUsage().GetModelDuration().AsDuration()}
	for _, s := range r.GetSuggestions() {
		out.Suggestions = append(out.Suggestions, conversation.Suggestion{Title: s.GetTitle(), Question: s.GetQuestion()})
	}
	return out, nil
}

// basis keeps what an answer rests on, without what anybody wrote.
func basis(r *ragv1.GenerateAnswerResponse, knowledgeBase string) *conversation.Basis {
	out := &conversation.Basis{
		KnowledgeBase: knowledgeBase, Confidence: r.GetConfidence(), Model: r.GetUsage().GetModel(),
		InputTokens: r.GetUsage().GetInputTokens(), OutputTokens: r.GetUsage().GetOutputTokens(),
		CostMicros: r.GetUsage().GetCostMicros(),
	}
	if r.GetOutcome() != ragv1.Outcome_OUTCOME_UNSPECIFIED {
		out.Outcome = strings.ToLower(strings.TrimPrefix(r.GetOutcome().String(), "OUTCOME_"))
	}
	for _, c := range r.GetCitations() {
		out.Passages = append(out.Passages, c.GetPassageId())
		if !slices.Contains(out.Documents, c.GetDocumentId()) {
			out.Documents = append(out.Documents, c.GetDocumentId())
		}
	}
	return out
}

// turns returns the dialogue and how many of its last turns are open.
func turns(q conversation.Question) (out []*ragv1.Turn, open int32) {
	for _, m := range q.History {
		out = append(out, &ragv1.Turn{Role: role(m.Role), Text: m.Text, CitedPassageIds: m.Rests})
	}
	for i, text := range q.Open {
		turn := &ragv1.Turn{Role: ragv1.Turn_ROLE_CUSTOMER, Text: text}
		if i < len(q.Contexts) {
			turn.Context = q.Contexts[i]
		}
		if i < len(q.Rests) {
			turn.CitedPassageIds = q.Rests[i]
		}
		if i < len(q.Files) {
			turn.Media = media(q.Files[i])
		}
		out = append(out, turn)
		open++
	}
	return out, open
}

func media(files []conversation.File) []*ragv1.TurnMedia {
	var out []*ragv1.TurnMedia
	for _, f := range files {
		out = append(out, &ragv1.TurnMedia{MimeType: f.MIMEType, Filename: f.Filename, Content: f.Content})
	}
	return out
}

func role(r conversation.Role) ragv1.Turn_Role {
	switch r {
	case conversation.Assistant:
		return ragv1.Turn_ROLE_ASSISTANT
	case conversation.Staff:
		return ragv1.Turn_ROLE_STAFF
	default:
		return ragv1.Turn_ROLE_CUSTOMER
	}
}
