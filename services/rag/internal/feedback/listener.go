package feedback

import (
	"context"

	rag "github.com/knobot/knobot/services/rag"
)

// Answerer composes answers.
type Answerer interface {
	// GenerateAnswer returns Invalid, NotFound, Precondition or Unavailable.
	GenerateAnswer(ctx context.Context, req rag.Request) (rag.Answer, error)
	// StreamAnswer is GenerateAnswer, and shows drafts while a model writes.
	StreamAnswer(ctx context.Context, req rag.Request, show func(draft string)) (rag.Answer, error)
	// Streams tells whether StreamAnswer ever shows drafts.
	Streams() bool
	// Capabilities says what the model can do.
	Capabilities() rag.Capabilities
}

// Listener is an answerer whose unanswered questions are counted. Evaluations go past it.
type Listener struct {
	Answerer
	book *Book
}

// Listen returns an answerer that counts in this book.
func (b *Book) Listen(a Answerer) *Listener { return &Listener{Answerer: a, book: b} }

// GenerateAnswer answers, and counts what could not be.
func (l *Listener) GenerateAnswer(ctx context.Context, req rag.Request) (rag.Answer, error) {
	a, err := l.Answerer.GenerateAnswer(ctx, req)
	l.book.note(ctx, req, a)
	return a, err
}

// StreamAnswer answers, and counts what could not be.
func (l *Listener) StreamAnswer(ctx context.Context, req rag.Request, show func(draft string)) (rag.Answer, error) {
	a, err := l.Answerer.StreamAnswer(ctx, req, show)
	l.book.note(ctx, req, a)
	return a, err
}
