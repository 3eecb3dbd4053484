package command

import (
	"context"
	"fmt"

	"github.com/knobot/knobot/cli/internal/present"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// unansweredCommand shows where a knowledge base falls short.
type unansweredCommand struct {
	List    unansweredListCommand    `cmd:"" default:"withargs" help:"List what customers asked in vain, and the documents whose answers they liked or did not."`
	Dismiss unansweredDismissCommand `cmd:"" help:"Take a question off the list for good."`
}

// unansweredListCommand lists the questions that no document answers, most frequent first.
type unansweredListCommand struct {
	KnowledgeBase string `default:"default" help:"The knowledge base."`
	Limit         int32  `short:"n" default:"20" help:"How many, at most 1000."`
}

// onFeedback calls f with the service.
func onFeedback(ctx context.Context, s session, f func(context.Context, ragv1.FeedbackServiceClient) error) error {
	return call(ctx, s, ragv1.NewFeedbackServiceClient, f)
}

// Run prints a line per question, then one per document that got feedback.
func (c unansweredListCommand) Run(ctx context.Context, s session) error {
	return onFeedback(ctx, s, func(ctx context.Context, client ragv1.FeedbackServiceClient) error {
		questions, err := client.ListUnansweredQuestions(ctx, &ragv1.ListUnansweredQuestionsRequest{
			KnowledgeBase: c.KnowledgeBase, PageSize: c.Limit,
		})
		if err != nil {
			return err
		}
		documents, err := client.ListDocumentFeedback(ctx, &ragv1.ListDocumentFeedbackRequest{
			KnowledgeBase: c.KnowledgeBase, PageSize: c.Limit,
		})
		if err != nil {
			return err
		}
		err = s.show(questions, func() present.Table { return questionTable(questions.GetQuestions()) })
		if err != nil || len(documents.GetDocuments()) == 0 || s.format != present.AsTable {
			return err
		}
		fmt.Fprintln(s.out)
		return s.show(documents, func() present.Table { return likingTable(documents.GetDocuments()) })
	})
}

// unansweredDismissCommand takes a question off the list.
type unansweredDismissCommand struct {
	ID string `arg:"" help:"The question's id, as knobot unanswered prints it."`
}

// Run takes it off.
func (c unansweredDismissCommand) Run(ctx context.Context, s session) error {
	return onFeedback(ctx, s, func(ctx context.Context, client ragv1.FeedbackServiceClient) error {
		r, err := client.DismissUnansweredQuestion(ctx, &ragv1.DismissUnansweredQuestionRequest{Id: c.ID})
		if err != nil {
			return err
		}
		return s.done(r, "dismissed")
	})
}

func questionTable(questions []*ragv1.UnansweredQuestion) present.Table {
	t := present.Table{Header: []string{"ASKED", "LAST", "LANGUAGE", "ID", "QUESTION"}}
	for _, q := range questions {
		t.Add(q.GetCount(), moment(q.GetLastTime()), q.GetLanguage(), q.GetId(), q.GetQuestion())
	}
	return t
}

func likingTable(documents []*ragv1.DocumentFeedback) present.Table {
	t := present.Table{Header: []string{"DISLIKED", "LIKED", "DOCUMENT"}}
	for _, d := range documents {
		t.Add(d.GetNegative(), d.GetPositive(), d.GetDocumentName())
	}
	return t
}
