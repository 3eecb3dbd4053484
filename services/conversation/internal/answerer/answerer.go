// Package answerer is the client of rag: it asks for answers.
package answerer

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc"

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
func (c *Client) Answer(ctx context.Context, q conversation.Question) (string, error) {
	if err := peer.Present(c.conn); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request := &ragv1.GenerateAnswerRequest{
		RequestId: string(q.Request), KnowledgeBase: q.KnowledgeBase, CustomerKey: string(q.Customer), TopK: &q.Passages,
		RagEnabled: &q.RAG, Language: q.Language, HumanContact: q.HumanContact,
	}
	request.Turns, request.OpenTurns = turns(q)
	r, err := c.answers.GenerateAnswer(ctx, request)
	if err != nil {
		// Most are worth another try: a knowledge base that is missing or a model that is not configured can be put right
		// while the turn waits.
		return "", peer.Error(err)
	}
	if strings.TrimSpace(r.GetText()) == "" {
		return "", &conversation.PeerError{Verdict: conversation.Retry, Reason: "EMPTY_ANSWER"}
	}
	return r.GetText(), nil
}

// turns returns the dialogue and how many of its last turns are open.
func turns(q conversation.Question) (out []*ragv1.Turn, open int32) {
	for _, m := range q.History {
		out = append(out, &ragv1.Turn{Role: role(m.Role), Text: m.Text})
	}
	for i, text := range q.Open {
		turn := &ragv1.Turn{Role: ragv1.Turn_ROLE_CUSTOMER, Text: text}
		if i < len(q.Contexts) {
			turn.Context = q.Contexts[i]
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
