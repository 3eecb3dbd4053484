package command

import (
	"context"
	"fmt"
	"io"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// askCommand asks one question.
type askCommand struct {
	ragPeer
	KnowledgeBase string `default:"default" help:"The knowledge base."`
	Question      string `arg:"" help:"The question."`
}

// Run asks and prints the answer.
func (c askCommand) Run(ctx context.Context, s streams) error {
	conn, err := dial(c.RAG)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return c.ask(ctx, ragv1.NewAnswerServiceClient(conn), s.out)
}

func (c askCommand) ask(ctx context.Context, answers ragv1.AnswerServiceClient, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := answers.GenerateAnswer(ctx, &ragv1.GenerateAnswerRequest{
		KnowledgeBase: c.KnowledgeBase,
		Turns:         []*ragv1.Turn{{Role: ragv1.Turn_ROLE_CUSTOMER, Text: c.Question}},
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, r.GetText())
	return err
}
