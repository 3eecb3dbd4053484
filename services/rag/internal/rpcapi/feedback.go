package rpcapi

import (
	"context"
	"strconv"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
)

// FeedbackBook keeps feedback.
type FeedbackBook interface {
	// Record returns Invalid for feedback that makes no sense and NotFound for an unknown knowledge base.
	Record(ctx context.Context, knowledgeBase string, f rag.Feedback) error
}

// FeedbackStore reads questions and feedback.
type FeedbackStore interface {
	// KnowledgeBase returns NotFound if there is none.
	KnowledgeBase(ctx context.Context, name string) (rag.KnowledgeBase, error)
	UnansweredQuestions(ctx context.Context, kb rag.KnowledgeBaseID, offset, limit int) ([]rag.UnansweredQuestion, error)
	// DismissUnanswered returns NotFound if there is none.
	DismissUnanswered(ctx context.Context, id rag.UnansweredID) error
	DocumentFeedback(ctx context.Context, kb rag.KnowledgeBaseID, offset, limit int) ([]rag.DocumentFeedback, error)
}

// Feedback serves FeedbackService.
type Feedback struct {
	ragv1.UnimplementedFeedbackServiceServer
	book  FeedbackBook
	store FeedbackStore
}

// NewFeedback returns the handlers of FeedbackService.
func NewFeedback(book FeedbackBook, store FeedbackStore) *Feedback {
	return &Feedback{book: book, store: store}
}

// ListUnansweredQuestions lists what was asked in vain.
func (s *Feedback) ListUnansweredQuestions(ctx context.Context, r *ragv1.ListUnansweredQuestionsRequest) (*ragv1.ListUnansweredQuestionsResponse, error) {
	list, next, err := ranked(ctx, s.store, "unanswered", r, s.store.UnansweredQuestions)
	if err != nil {
		return nil, err
	}
	out := &ragv1.ListUnansweredQuestionsResponse{NextPageToken: next}
	for _, q := range list {
		out.Questions = append(out.Questions, &ragv1.UnansweredQuestion{
			Id: string(q.ID), Question: q.Question, Count: q.Count, LastTime: timestamp(q.LastTime), Language: string(q.Language),
		})
	}
	return out, nil
}

// DismissUnansweredQuestion takes a question off the list.
func (s *Feedback) DismissUnansweredQuestion(ctx context.Context, r *ragv1.DismissUnansweredQuestionRequest) (*ragv1.DismissUnansweredQuestionResponse, error) {
	if err := s.store.DismissUnanswered(ctx, rag.UnansweredID(r.GetId())); err != nil {
		return nil, err
	}
	return &ragv1.DismissUnansweredQuestionResponse{}, nil
}

// RecordFeedback keeps what a customer thought of an answer.
func (s *Feedback) RecordFeedback(ctx context.Context, r *ragv1.RecordFeedbackRequest) (*ragv1.RecordFeedbackResponse, error) {
	f := rag.Feedback{Request: r.GetRequestId(), Positive: r.Positive}
	for _, id := range r.GetDocumentIds() {
		f.Documents = append(f.Documents, rag.DocumentID(id))
	}
	if err := s.book.Record(ctx, knowledgeBase(r.GetKnowledgeBase()), f); err != nil {
		return nil, err
	}
	return &ragv1.RecordFeedbackResponse{}, nil
}

// ListDocumentFeedback counts the feedback by cited document.
func (s *Feedback) ListDocumentFeedback(ctx context.Context, r *ragv1.ListDocumentFeedbackRequest) (*ragv1.ListDocumentFeedbackResponse, error) {
	list, next, err := ranked(ctx, s.store, "feedback", r, s.store.DocumentFeedback)
	if err != nil {
		return nil, err
	}
	out := &ragv1.ListDocumentFeedbackResponse{NextPageToken: next}
	for _, d := range list {
		out.Documents = append(out.Documents, &ragv1.DocumentFeedback{
			DocumentId: string(d.Document), DocumentName: d.Name, Positive: d.Positive, Negative: d.Negative,
		})
	}
	return out, nil
}

// pageRequest asks for a page of a knowledge base's list.
type pageRequest interface {
	GetKnowledgeBase() string
	GetPageSize() int32
	GetPageToken() string
}

// ranked returns a page of a list that goes by rank: its token says how many came before.
func ranked[T any](
	ctx context.Context, store FeedbackStore, of string, r pageRequest,
	load func(ctx context.Context, kb rag.KnowledgeBaseID, offset, limit int) ([]T, error),
) (list []T, next string, err error) {
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, "", err
	}
	offset, err := rank(of, r.GetPageToken())
	if err != nil {
		return nil, "", err
	}
	kb, err := store.KnowledgeBase(ctx, knowledgeBase(r.GetKnowledgeBase()))
	if err != nil {
		return nil, "", err
	}
	if list, err = load(ctx, kb.ID, offset, size+1); err != nil || len(list) <= size {
		return list, "", err
	}
	return list[:size], pageToken(of, strconv.Itoa(offset+size)), nil
}

// maxRank bounds how far a list by rank is paged.
const maxRank = 1_000_000

func rank(of, token string) (int, error) {
	after, err := pageStart(of, token)
	if err != nil || after == "" {
		return 0, err
	}
	n, err := strconv.Atoi(after)
	if err != nil || n < 0 || n > maxRank {
		return 0, fault.New(fault.Invalid, "PAGE_TOKEN", "page_token is not one that this list returned")
	}
	return n, nil
}
