package command

import (
	"context"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// askCommand asks one question.
type askCommand struct {
	KnowledgeBase string `default:"default" help:"The knowledge base."`
	Question      string `arg:"" help:"The question."`
}

// Run asks and prints the answer.
func (c askCommand) Run(ctx context.Context, s session) error {
	return call(ctx, s, ragv1.NewAnswerServiceClient, func(ctx context.Context, answers ragv1.AnswerServiceClient) error {
		r, err := answers.GenerateAnswer(ctx, &ragv1.GenerateAnswerRequest{
			KnowledgeBase: c.KnowledgeBase,
			Turns:         []*ragv1.Turn{{Role: ragv1.Turn_ROLE_CUSTOMER, Text: c.Question}},
		})
		if err != nil {
			return err
		}
		return s.done(r, "%s", r.GetText())
	})
}
