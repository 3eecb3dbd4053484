package rpcapi

import (
	"context"

	"github.com/google/uuid"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/ingestion"
)

// maxContent is what a message has room for, in bytes; an uploaded file may be larger.
const maxContent = 8 << 20

// Library takes documents in and out.
type Library interface {
	// Add returns Invalid, NotFound or Unavailable.
	Add(ctx context.Context, up ingestion.Upload) (doc rag.Document, unchanged bool, err error)
	// Delete returns NotFound if there is none.
	Delete(ctx context.Context, id rag.DocumentID) error
	Submitter
}

// DocumentStore reads documents.
type DocumentStore interface {
	// Document returns NotFound if there is none.
	Document(ctx context.Context, id rag.DocumentID) (rag.Document, error)
	Documents(ctx context.Context, kb rag.KnowledgeBaseID, after string, limit int) ([]rag.Document, error)
	// KnowledgeBase returns NotFound if there is none.
	KnowledgeBase(ctx context.Context, name string) (rag.KnowledgeBase, error)
}

// Documents serves DocumentService.
type Documents struct {
	ragv1.UnimplementedDocumentServiceServer
	library Library
	store   DocumentStore
	uploads chan struct{}
}

// NewDocuments returns the handlers of DocumentService.
func NewDocuments(library Library, store DocumentStore) *Documents {
	return &Documents{library: library, store: store, uploads: make(chan struct{}, maxUploads)}
}

// CreateDocument stores a document or a new version of it.
func (s *Documents) CreateDocument(ctx context.Context, r *ragv1.CreateDocumentRequest) (*ragv1.CreateDocumentResponse, error) {
	doc, unchanged, err := s.library.Add(ctx, ingestion.Upload{
		KnowledgeBase: knowledgeBase(r.GetKnowledgeBase()),
		Name:          r.GetName(),
		Title:         r.GetTitle(),
		SourceURI:     r.GetSourceUri(),
		Type:          rag.ContentType(r.GetContentType()),
		Content:       r.GetContent(),
		Audience:      audience(r.GetAudience()),
		Trust:         trust(r.GetTrust()),
	})
	if err != nil {
		return nil, err
	}
	return &ragv1.CreateDocumentResponse{Document: documentProto(doc), Unchanged: unchanged}, nil
}

// GetDocument returns one with its content.
func (s *Documents) GetDocument(ctx context.Context, r *ragv1.GetDocumentRequest) (*ragv1.GetDocumentResponse, error) {
	id, err := documentID(r.GetId())
	if err != nil {
		return nil, err
	}
	doc, err := s.store.Document(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(doc.Content) > maxContent {
		doc.Content = nil
	}
	return &ragv1.GetDocumentResponse{Document: documentProto(doc)}, nil
}

// ListDocuments lists a knowledge base's by name.
func (s *Documents) ListDocuments(ctx context.Context, r *ragv1.ListDocumentsRequest) (*ragv1.ListDocumentsResponse, error) {
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	kb, err := s.store.KnowledgeBase(ctx, knowledgeBase(r.GetKnowledgeBase()))
	if err != nil {
		return nil, err
	}
	list := "documents of " + string(kb.ID)
	after, err := pageStart(list, r.GetPageToken())
	if err != nil {
		return nil, err
	}
	docs, err := s.store.Documents(ctx, kb.ID, after, size+1)
	if err != nil {
		return nil, err
	}
	docs, next := page(docs, size, func(d rag.Document) string { return d.Name }, list)
	out := &ragv1.ListDocumentsResponse{NextPageToken: next}
	for _, doc := range docs {
		out.Documents = append(out.Documents, documentProto(doc))
	}
	return out, nil
}

// DeleteDocument removes one.
func (s *Documents) DeleteDocument(ctx context.Context, r *ragv1.DeleteDocumentRequest) (*ragv1.DeleteDocumentResponse, error) {
	id, err := documentID(r.GetId())
	if err != nil {
		return nil, err
	}
	if err := s.library.Delete(ctx, id); err != nil {
		return nil, err
	}
	return &ragv1.DeleteDocumentResponse{}, nil
}

// documentID returns NotFound for what is no id at all: there is no document with it.
func documentID(id string) (rag.DocumentID, error) {
	if uuid.Validate(id) != nil {
		return "", fault.New(fault.NotFound, "DOCUMENT_NOT_FOUND", "there is no document with this id")
	}
	return rag.DocumentID(id), nil
}

func documentProto(d rag.Document) *ragv1.Document {
	return &ragv1.Document{
		Id:            string(d.ID),
		KnowledgeBase: d.KnowledgeBase,
		Name:          d.Name,
		Title:         d.Title,
		SourceUri:     d.SourceURI,
		ContentType:   string(d.Type),
		Version:       int32(d.Version),
		PassageCount:  int32(d.PassageCount),
		CreateTime:    timestamp(d.CreateTime),
		UpdateTime:    timestamp(d.UpdateTime),
		Content:       d.Content,
		Audience:      audienceProto(d.Audience),
		Trust:         trustProto(d.Trust),
	}
}

// audience is one that is refused, for a word of a later version: what was meant to stay inside must not become public.
func audience(a ragv1.Audience) rag.Audience {
	switch a {
	case ragv1.Audience_AUDIENCE_UNSPECIFIED, ragv1.Audience_AUDIENCE_PUBLIC:
		return rag.Public
	case ragv1.Audience_AUDIENCE_INTERNAL:
		return rag.Internal
	}
	return rag.Audience(a.String())
}

func audienceProto(a rag.Audience) ragv1.Audience {
	if a == rag.Internal {
		return ragv1.Audience_AUDIENCE_INTERNAL
	}
	return ragv1.Audience_AUDIENCE_PUBLIC
}

// trust is one that is refused, for a word of a later version.
func trust(t ragv1.Trust) rag.Trust {
	switch t {
	case ragv1.Trust_TRUST_UNSPECIFIED, ragv1.Trust_TRUST_COMPANY:
		return rag.Company
	case ragv1.Trust_TRUST_USER:
		return rag.FromUsers
	case ragv1.Trust_TRUST_DRAFT:
		return rag.Draft
	}
	return rag.Trust(t.String())
}

func trustProto(t rag.Trust) ragv1.Trust {
	switch t {
	case rag.FromUsers:
		return ragv1.Trust_TRUST_USER
	case rag.Draft:
		return ragv1.Trust_TRUST_DRAFT
	default:
		return ragv1.Trust_TRUST_COMPANY
	}
}
