package command

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// unansweredCommand shows where a knowledge base falls short.
type unansweredCommand struct {
	List    unansweredListCommand    `cmd:"" default:"withargs" help:"List what customers asked in vain, and the documents whose answers they liked or did not."`
	Dismiss unansweredDismissCommand `cmd:"" help:"Take a question off the list for good."`
}

// unansweredListCommand lists the questions that no document answers, most frequent first.
type unansweredListCommand struct {
	ragPeer
	KnowledgeBase string `default:"default" help:"The knowledge base."`
	Limit         int32  `short:"n" default:"20" help:"How many, at most 1000."`
}

// Run prints a line per question, and one per document that got feedback.
func (c unansweredListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(ctx context.Context, client ragv1.FeedbackServiceClient) error {
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
		return printUnanswered(s.out, questions.GetQuestions(), documents.GetDocuments())
	})
}

// unansweredDismissCommand takes a question off the list.
type unansweredDismissCommand struct {
	ragPeer
	ID string `arg:"" help:"The question's id, as knobot unanswered prints it."`
}

// Run takes it off.
func (c unansweredDismissCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(ctx context.Context, client ragv1.FeedbackServiceClient) error {
		if _, err := client.DismissUnansweredQuestion(ctx, &ragv1.DismissUnansweredQuestionRequest{Id: c.ID}); err != nil {
			return err
		}
		_, err := fmt.Fprintln(s.out, "dismissed")
		return err
	})
}

func (p ragPeer) with(ctx context.Context, f func(context.Context, ragv1.FeedbackServiceClient) error) error {
	conn, err := dial(p.RAG)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return f(ctx, ragv1.NewFeedbackServiceClient(conn))
}

func printUnanswered(out io.Writer, questions []*ragv1.UnansweredQuestion, documents []*ragv1.DocumentFeedback) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ASKED\tLAST\tLANGUAGE\tID\tQUESTION")
	for _, q := range questions {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", q.GetCount(), clock(q.GetLastTime().AsTime()), orDash(q.GetLanguage()), q.GetId(), oneLine(q.GetQuestion()))
	}
	if len(documents) > 0 {
		fmt.Fprintln(w, "\nDISLIKED\tLIKED\tDOCUMENT")
	}
	for _, d := range documents {
		fmt.Fprintf(w, "%d\t%d\t%s\n", d.GetNegative(), d.GetPositive(), oneLine(d.GetDocumentName()))
	}
	return w.Flush()
}

// oneLine keeps what others wrote from writing to the terminal anything but letters.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}
