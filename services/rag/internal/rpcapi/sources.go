package rpcapi

import (
	"context"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
)

// Crawler keeps sources.
type Crawler interface {
	// Create returns Invalid, NotFound or Conflict.
	Create(ctx context.Context, s rag.Source) (rag.Source, error)
	// Refresh returns NotFound if there is none.
	Refresh(ctx context.Context, id rag.SourceID) (rag.Source, error)
	// Delete returns NotFound if there is none.
	Delete(ctx context.Context, id rag.SourceID) error
}

// SourceStore reads sources.
type SourceStore interface {
	// Source returns NotFound if there is none.
	Source(ctx context.Context, id rag.SourceID) (rag.Source, error)
	Sources(ctx context.Context, kb rag.KnowledgeBaseID, after string, limit int) ([]rag.Source, error)
	SourcePages(ctx context.Context, id rag.SourceID, after string, limit int) ([]rag.SourcePage, error)
	// KnowledgeBase returns NotFound if there is none.
	KnowledgeBase(ctx context.Context, name string) (rag.KnowledgeBase, error)
}

// Sources serves SourceService.
type Sources struct {
	ragv1.UnimplementedSourceServiceServer
	crawler Crawler
	store   SourceStore
}

// NewSources returns the handlers of SourceService.
func NewSources(crawler Crawler, store SourceStore) *Sources {
	return &Sources{crawler: crawler, store: store}
}

// CreateSource adds one.
func (s *Sources) CreateSource(ctx context.Context, r *ragv1.CreateSourceRequest) (*ragv1.CreateSourceResponse, error) {
	created, err := s.crawler.Create(ctx, rag.Source{
		KnowledgeBase: knowledgeBase(r.GetKnowledgeBase()),
		URL:           r.GetUrl(),
		Kind:          sourceKind(r.GetKind()),
		Interval:      r.GetRefreshInterval().AsDuration(),
		Audience:      audience(r.GetAudience()),
		Trust:         trust(r.GetTrust()),
	})
	if err != nil {
		return nil, err
	}
	return &ragv1.CreateSourceResponse{Source: sourceProto(created)}, nil
}

// GetSource returns one.
func (s *Sources) GetSource(ctx context.Context, r *ragv1.GetSourceRequest) (*ragv1.GetSourceResponse, error) {
	source, err := s.source(ctx, r.GetId())
	if err != nil {
		return nil, err
	}
	return &ragv1.GetSourceResponse{Source: sourceProto(source)}, nil
}

// ListSources lists a knowledge base's by address.
func (s *Sources) ListSources(ctx context.Context, r *ragv1.ListSourcesRequest) (*ragv1.ListSourcesResponse, error) {
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	kb, err := s.store.KnowledgeBase(ctx, knowledgeBase(r.GetKnowledgeBase()))
	if err != nil {
		return nil, err
	}
	list := "sources of " + string(kb.ID)
	after, err := pageStart(list, r.GetPageToken())
	if err != nil {
		return nil, err
	}
	found, err := s.store.Sources(ctx, kb.ID, after, size+1)
	if err != nil {
		return nil, err
	}
	found, next := page(found, size, func(s rag.Source) string { return s.URL }, list)
	out := &ragv1.ListSourcesResponse{NextPageToken: next}
	for _, source := range found {
		out.Sources = append(out.Sources, sourceProto(source))
	}
	return out, nil
}

// ListSourcePages lists a source's pages by address.
func (s *Sources) ListSourcePages(ctx context.Context, r *ragv1.ListSourcePagesRequest) (*ragv1.ListSourcePagesResponse, error) {
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	source, err := s.source(ctx, r.GetId())
	if err != nil {
		return nil, err
	}
	list := "pages of " + string(source.ID)
	after, err := pageStart(list, r.GetPageToken())
	if err != nil {
		return nil, err
	}
	found, err := s.store.SourcePages(ctx, source.ID, after, size+1)
	if err != nil {
		return nil, err
	}
	found, next := page(found, size, func(p rag.SourcePage) string { return p.URL }, list)
	out := &ragv1.ListSourcePagesResponse{NextPageToken: next}
	for _, p := range found {
		out.Pages = append(out.Pages, sourcePageProto(p))
	}
	return out, nil
}

// RefreshSource fetches one now.
func (s *Sources) RefreshSource(ctx context.Context, r *ragv1.RefreshSourceRequest) (*ragv1.RefreshSourceResponse, error) {
	id, err := sourceID(r.GetId())
	if err != nil {
		return nil, err
	}
	source, err := s.crawler.Refresh(ctx, id)
	if err != nil {
		return nil, err
	}
	return &ragv1.RefreshSourceResponse{Source: sourceProto(source)}, nil
}

// DeleteSource removes one.
func (s *Sources) DeleteSource(ctx context.Context, r *ragv1.DeleteSourceRequest) (*ragv1.DeleteSourceResponse, error) {
	id, err := sourceID(r.GetId())
	if err != nil {
		return nil, err
	}
	if err := s.crawler.Delete(ctx, id); err != nil {
		return nil, err
	}
	return &ragv1.DeleteSourceResponse{}, nil
}

func (s *Sources) source(ctx context.Context, id string) (rag.Source, error) {
	known, err := sourceID(id)
	if err != nil {
		return rag.Source{}, err
	}
	return s.store.Source(ctx, known)
}

// sourceID returns NotFound for what is no id at all: there is no source with it.
func sourceID(id string) (rag.SourceID, error) {
	if uuid.Validate(id) != nil {
		return "", fault.New(fault.NotFound, "SOURCE_NOT_FOUND", "there is no source with this id")
	}
	return rag.SourceID(id), nil
}

// sourceKind is empty for what is not said, which goes by the address then.
func sourceKind(k ragv1.Source_Kind) rag.SourceKind {
	switch k {
	case ragv1.Source_KIND_PAGE:
		return rag.PageSource
	case ragv1.Source_KIND_SITEMAP:
		return rag.SitemapSource
	default:
		return ""
	}
}

func sourceProto(s rag.Source) *ragv1.Source {
	kind := ragv1.Source_KIND_PAGE
	if s.Kind == rag.SitemapSource {
		kind = ragv1.Source_KIND_SITEMAP
	}
	return &ragv1.Source{
		Id:              string(s.ID),
		KnowledgeBase:   s.KnowledgeBase,
		Url:             s.URL,
		Kind:            kind,
		RefreshInterval: durationpb.New(s.Interval),
		Audience:        audienceProto(s.Audience),
		Trust:           trustProto(s.Trust),
		Refreshing:      s.Refreshing,
		PageCount:       int32(s.PageCount),
		FailedPageCount: int32(s.FailedPageCount),
		Reason:          s.Reason,
		Message:         s.Message,
		RefreshTime:     past(s.RefreshTime),
		NextRefreshTime: timestamp(s.NextRefreshTime),
		CreateTime:      timestamp(s.CreateTime),
	}
}

func sourcePageProto(p rag.SourcePage) *ragv1.SourcePage {
	return &ragv1.SourcePage{
		Url:          p.URL,
		DocumentName: p.DocumentName,
		Reason:       p.Reason,
		Message:      p.Message,
		FetchTime:    past(p.FetchTime),
	}
}

// past is absent for what has not happened yet.
func past(t time.Time) *timestamppb.Timestamp {
	if t.Unix() <= 0 {
		return nil
	}
	return timestamp(t)
}
