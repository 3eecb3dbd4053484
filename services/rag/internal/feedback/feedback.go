// Package feedback keeps where a knowledge base falls short: questions that no document answers, and what customers thought of
// answers.
package feedback

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/analysis"
)

// Store keeps it. Its errors are those of package postgres.
type Store interface {
	// NoteUnanswered counts a question of a customer, by their key. An unknown knowledge base is no error.
	NoteUnanswered(ctx context.Context, knowledgeBase, customerKey string, q rag.UnansweredQuestion) error
	// RecordFeedback replaces what was recorded of the answer before. It returns NotFound for an unknown knowledge base.
	RecordFeedback(ctx context.Context, knowledgeBase string, f rag.Feedback) error
	// ForgetOld removes what is older than it may be.
	ForgetOld(ctx context.Context) error
}

const (
	// noteTimeout bounds what counting a question may cost its answer.
	noteTimeout = time.Second
	// sweep is how often old questions and feedback are removed.
	sweep = time.Hour
	// maxRequest bounds the name of an answer, in bytes, and maxDocuments what it cites.
	maxRequest   = 64
	maxDocuments = 20
)

// Book keeps questions and feedback. It is safe for concurrent use.
type Book struct {
	store    Store
	analyzer *analysis.Analyzer
	log      *zap.Logger
}

// New returns a book, whose Run has to be run.
func New(store Store, analyzer *analysis.Analyzer, log *zap.Logger) *Book {
	return &Book{store: store, analyzer: analyzer, log: log}
}

// Record keeps what a customer thought of an answer. It returns Invalid for one without a name or with too many documents, and
// NotFound for an unknown knowledge base.
func (b *Book) Record(ctx context.Context, knowledgeBase string, f rag.Feedback) error {
	switch {
	case f.Request == "" || len(f.Request) > maxRequest || !printable(f.Request):
		return fault.New(fault.Invalid, "REQUEST_ID", "request_id must be 1 to 64 printable ASCII characters")
	case len(f.Documents) > maxDocuments:
		return fault.New(fault.Invalid, "DOCUMENT_IDS", "document_ids must be at most 20")
	}
	return b.store.RecordFeedback(ctx, knowledgeBase, f)
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// note counts a question that no document answers. That it could not be counted is nothing to the customer.
func (b *Book) note(ctx context.Context, req rag.Request, a rag.Answer) {
	q, ok := b.normalised(a)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, noteTimeout)
	defer cancel()
	if err := b.store.NoteUnanswered(ctx, req.KnowledgeBase, req.CustomerKey, q); err != nil {
		b.log.Warn("unanswered question not counted", zap.Error(err))
	}
}

// Run removes what is too old, at the start and every hour, until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	tick := time.NewTicker(sweep)
	defer tick.Stop()
	for {
		if err := b.store.ForgetOld(ctx); err != nil && ctx.Err() == nil {
			b.log.Warn("old questions and feedback not removed", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
