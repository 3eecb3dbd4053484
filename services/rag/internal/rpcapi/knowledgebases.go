package rpcapi

import (
	"context"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/retrieval"
)

// Shelf makes and removes knowledge bases.
type Shelf interface {
	// CreateKnowledgeBase returns Invalid for a bad name and Conflict for one that is taken.
	CreateKnowledgeBase(ctx context.Context, name, displayName string) (rag.KnowledgeBase, error)
	// UpdateKnowledgeBase returns Invalid for values that make no sense and NotFound if there is none.
	UpdateKnowledgeBase(ctx context.Context, name string, edit rag.KnowledgeBaseEdit) (rag.KnowledgeBase, error)
	// DeleteKnowledgeBase returns NotFound if there is none and Precondition for the default one.
	DeleteKnowledgeBase(ctx context.Context, name string) error
	// Reindex returns NotFound if there is none.
	Reindex(ctx context.Context, name string) error
}

// KnowledgeBaseStore reads knowledge bases.
type KnowledgeBaseStore interface {
	// KnowledgeBase returns NotFound if there is none.
	KnowledgeBase(ctx context.Context, name string) (rag.KnowledgeBase, error)
	KnowledgeBases(ctx context.Context, after string, limit int) ([]rag.KnowledgeBase, error)
}

// Searcher finds passages.
type Searcher interface {
	// Search returns Invalid, NotFound or Unavailable.
	Search(ctx context.Context, knowledgeBase, text string, topK int) (retrieval.Result, error)
}

// KnowledgeBases serves KnowledgeBaseService.
type KnowledgeBases struct {
	ragv1.UnimplementedKnowledgeBaseServiceServer
	shelf    Shelf
	store    KnowledgeBaseStore
	searcher Searcher
}

// NewKnowledgeBases returns the handlers of KnowledgeBaseService.
func NewKnowledgeBases(shelf Shelf, store KnowledgeBaseStore, searcher Searcher) *KnowledgeBases {
	return &KnowledgeBases{shelf: shelf, store: store, searcher: searcher}
}

// CreateKnowledgeBase makes an empty one.
func (s *KnowledgeBases) CreateKnowledgeBase(ctx context.Context, r *ragv1.CreateKnowledgeBaseRequest) (*ragv1.CreateKnowledgeBaseResponse, error) {
	kb, err := s.shelf.CreateKnowledgeBase(ctx, r.GetName(), r.GetDisplayName())
	if err != nil {
		return nil, err
	}
	return &ragv1.CreateKnowledgeBaseResponse{KnowledgeBase: knowledgeBaseProto(kb)}, nil
}

// GetKnowledgeBase returns one.
func (s *KnowledgeBases) GetKnowledgeBase(ctx context.Context, r *ragv1.GetKnowledgeBaseRequest) (*ragv1.GetKnowledgeBaseResponse, error) {
	kb, err := s.store.KnowledgeBase(ctx, knowledgeBase(r.GetName()))
	if err != nil {
		return nil, err
	}
	return &ragv1.GetKnowledgeBaseResponse{KnowledgeBase: knowledgeBaseProto(kb)}, nil
}

// ListKnowledgeBases lists them by name.
func (s *KnowledgeBases) ListKnowledgeBases(ctx context.Context, r *ragv1.ListKnowledgeBasesRequest) (*ragv1.ListKnowledgeBasesResponse, error) {
	const list = "knowledge bases"
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	after, err := pageStart(list, r.GetPageToken())
	if err != nil {
		return nil, err
	}
	kbs, err := s.store.KnowledgeBases(ctx, after, size+1)
	if err != nil {
		return nil, err
	}
	kbs, next := page(kbs, size, func(kb rag.KnowledgeBase) string { return kb.Name }, list)
	out := &ragv1.ListKnowledgeBasesResponse{NextPageToken: next}
	for _, kb := range kbs {
		out.KnowledgeBases = append(out.KnowledgeBases, knowledgeBaseProto(kb))
	}
	return out, nil
}

// UpdateKnowledgeBase changes what the mask names.
func (s *KnowledgeBases) UpdateKnowledgeBase(ctx context.Context, r *ragv1.UpdateKnowledgeBaseRequest) (*ragv1.UpdateKnowledgeBaseResponse, error) {
	edit, err := knowledgeBaseEdit(r.GetKnowledgeBase(), r.GetUpdateMask().GetPaths())
	if err != nil {
		return nil, err
	}
	kb, err := s.shelf.UpdateKnowledgeBase(ctx, knowledgeBase(r.GetKnowledgeBase().GetName()), edit)
	if err != nil {
		return nil, err
	}
	return &ragv1.UpdateKnowledgeBaseResponse{KnowledgeBase: knowledgeBaseProto(kb)}, nil
}

func knowledgeBaseEdit(kb *ragv1.KnowledgeBase, paths []string) (edit rag.KnowledgeBaseEdit, err error) {
	for _, path := range paths {
		switch path {
		case "display_name":
			name := kb.GetDisplayName()
			edit.DisplayName = &name
		case "answer_threshold":
			edit.SetThreshold = true
			if kb != nil {
				edit.AnswerThreshold = kb.AnswerThreshold
			}
		default:
			return edit, maskInvalid()
		}
	}
	if len(paths) == 0 {
		return edit, maskInvalid()
	}
	return edit, nil
}

func maskInvalid() error {
	return fault.New(fault.Invalid, "UPDATE_MASK", "update_mask must name display_name, answer_threshold or both")
}

// DeleteKnowledgeBase removes one with all its documents.
func (s *KnowledgeBases) DeleteKnowledgeBase(ctx context.Context, r *ragv1.DeleteKnowledgeBaseRequest) (*ragv1.DeleteKnowledgeBaseResponse, error) {
	if err := s.shelf.DeleteKnowledgeBase(ctx, r.GetName()); err != nil {
		return nil, err
	}
	return &ragv1.DeleteKnowledgeBaseResponse{}, nil
}

// ReindexKnowledgeBase has the index of one made anew.
func (s *KnowledgeBases) ReindexKnowledgeBase(ctx context.Context, r *ragv1.ReindexKnowledgeBaseRequest) (*ragv1.ReindexKnowledgeBaseResponse, error) {
	name := knowledgeBase(r.GetName())
	if err := s.shelf.Reindex(ctx, name); err != nil {
		return nil, err
	}
	kb, err := s.store.KnowledgeBase(ctx, name)
	if err != nil {
		return nil, err
	}
	return &ragv1.ReindexKnowledgeBaseResponse{KnowledgeBase: knowledgeBaseProto(kb)}, nil
}

// SearchPassages returns the passages that would serve a question.
func (s *KnowledgeBases) SearchPassages(ctx context.Context, r *ragv1.SearchPassagesRequest) (*ragv1.SearchPassagesResponse, error) {
	found, err := s.searcher.Search(ctx, knowledgeBase(r.GetKnowledgeBase()), r.GetQuery(), topK(r.TopK))
	if err != nil {
		return nil, err
	}
	out := &ragv1.SearchPassagesResponse{}
	for _, hit := range found.Hits {
		out.Passages = append(out.Passages, passageProto(hit))
	}
	return out, nil
}

// topK is the number asked for, which may be out of bounds, or the default.
func topK(n *int32) int {
	if n == nil {
		return retrieval.DefaultTopK
	}
	return int(*n)
}

func passageProto(h rag.Hit) *ragv1.Passage {
	return &ragv1.Passage{
		Id:           string(h.ID),
		DocumentId:   string(h.Document),
		DocumentName: h.DocumentName,
		Title:        h.Title,
		HeadingPath:  h.HeadingPath,
		Text:         h.Text,
		Score:        h.Score,
		Coverage:     h.Coverage,
		SourceUri:    h.SourceURI,
		Cosine:       h.Cosine,
	}
}

func knowledgeBaseProto(kb rag.KnowledgeBase) *ragv1.KnowledgeBase {
	return &ragv1.KnowledgeBase{
		Name:                  kb.Name,
		DisplayName:           kb.DisplayName,
		DocumentCount:         int32(kb.DocumentCount),
		PassageCount:          int32(kb.PassageCount),
		Reindexing:            kb.Reindexing,
		ReindexedPassageCount: int32(kb.ReindexedCount),
		CreateTime:            timestamp(kb.CreateTime),
		AnswerThreshold:       kb.AnswerThreshold,
	}
}
