// Package evaluation measures how well a knowledge base answers questions whose right answers are known: what is found,
// what is said, and whether it declines when it should.
package evaluation

import (
	"context"
	"time"

	rag "github.com/knobot/knobot/services/rag"
)

// Question is a question with what is right for it.
type Question struct {
	ID string
	// Turns end with the question.
	Turns []rag.Turn
	// Answers are texts of which any one, standing in the answer, makes it right. Without any, declining is right.
	Answers []string
	// Documents are the names of those that serve it; without any, retrieval is not measured.
	Documents []string
	Kind      string
}

func (q Question) answerable() bool { return len(q.Answers) > 0 }

// Options say what is measured.
type Options struct {
	KnowledgeBase string
	TopK          int
	// Threshold replaces the knowledge base's own, nil for that.
	Threshold *float64
}

// Result is what became of a question.
type Result struct {
	Question Question
	// Text is the answer, or what it would have been had it not been declined.
	Text       string
	Declined   bool
	Right      bool
	Short      bool
	Confidence float64
	// Threshold is the one that was used.
	Threshold float64
	// Regardless says that it would have been declined, or answered, with any other one too.
	Regardless bool
	// Documents are the names of those found, best first, each once.
	Documents []string
	// Cited is the name of the document cited first, empty for none; Unknown counts citations of what was not found.
	Cited   string
	Unknown int
	Latency time.Duration
	Usage   rag.Usage
}

// useful says that the customer was served: right in few words, or rightly told that we do not know.
func (r Result) useful() bool {
	if r.Question.answerable() {
		return !r.Declined && r.Right && r.Short
	}
	return r.Declined
}

// Answerer composes answers.
type Answerer interface {
	// GenerateAnswer returns Invalid, NotFound, Precondition or Unavailable.
	GenerateAnswer(ctx context.Context, req rag.Request) (rag.Answer, error)
}

// Evaluator asks and judges. It is safe for concurrent use.
type Evaluator struct{ answerer Answerer }

// New returns an evaluator of answers.
func New(answerer Answerer) *Evaluator { return &Evaluator{answerer: answerer} }

// Ask asks one question and judges the answer. It returns the answerer's errors.
func (e *Evaluator) Ask(ctx context.Context, o Options, q Question) (Result, error) {
	req := rag.Request{
		ID: "evaluation " + q.ID, KnowledgeBase: o.KnowledgeBase, Turns: q.Turns, Open: 1, TopK: o.TopK, Retrieve: true,
		Threshold: o.Threshold, Evaluation: true,
	}
	begin := time.Now()
	answer, err := e.answerer.GenerateAnswer(ctx, req)
	if err != nil {
		return Result{}, err
	}
	r := judge(q, answer)
	r.Latency = time.Since(begin)
	if !r.Declined || r.Regardless || !q.answerable() {
		return r, nil
	}
	return r, e.despite(ctx, req, &r)
}

// despite asks again without declining, to learn what a declined answer would have been.
func (e *Evaluator) despite(ctx context.Context, req rag.Request, r *Result) error {
	never := 0.0
	req.Threshold = &never
	answer, err := e.answerer.GenerateAnswer(ctx, req)
	if err != nil {
		return err
	}
	other := judge(r.Question, answer)
	r.Text, r.Right, r.Short = other.Text, other.Right, other.Short
	return nil
}
