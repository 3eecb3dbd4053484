package rpcapi

import (
	"context"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/postgres"
)

// watchPause is how often a watched ingestion is looked at: any replica may be working on it.
const watchPause = 250 * time.Millisecond

// IngestionStore reads ingestions.
type IngestionStore interface {
	// Ingestion returns NotFound if there is none.
	Ingestion(ctx context.Context, id rag.IngestionID) (rag.Ingestion, error)
	Ingestions(ctx context.Context, kb rag.KnowledgeBaseID, before string, limit int) ([]rag.Ingestion, error)
	// KnowledgeBase returns NotFound if there is none.
	KnowledgeBase(ctx context.Context, name string) (rag.KnowledgeBase, error)
}

// Ingestions serves IngestionService.
type Ingestions struct {
	ragv1.UnimplementedIngestionServiceServer
	store    IngestionStore
	draining <-chan struct{}
}

// NewIngestions returns the handlers of IngestionService; its streams end when draining is closed.
func NewIngestions(store IngestionStore, draining <-chan struct{}) *Ingestions {
	return &Ingestions{store: store, draining: draining}
}

// GetIngestion returns one.
func (s *Ingestions) GetIngestion(ctx context.Context, r *ragv1.GetIngestionRequest) (*ragv1.GetIngestionResponse, error) {
	i, err := s.ingestion(ctx, r.GetId())
	if err != nil {
		return nil, err
	}
	return &ragv1.GetIngestionResponse{Ingestion: ingestionProto(i)}, nil
}

// ListIngestions lists a knowledge base's, newest first.
func (s *Ingestions) ListIngestions(ctx context.Context, r *ragv1.ListIngestionsRequest) (*ragv1.ListIngestionsResponse, error) {
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	kb, err := s.store.KnowledgeBase(ctx, knowledgeBase(r.GetKnowledgeBase()))
	if err != nil {
		return nil, err
	}
	list := "ingestions of " + string(kb.ID)
	before, err := pageStart(list, r.GetPageToken())
	if err != nil {
		return nil, err
	}
	found, err := s.store.Ingestions(ctx, kb.ID, before, size+1)
	if err != nil {
		return nil, err
	}
	found, next := page(found, size, postgres.IngestionCursor, list)
	out := &ragv1.ListIngestionsResponse{NextPageToken: next}
	for _, i := range found {
		out.Ingestions = append(out.Ingestions, ingestionProto(i))
	}
	return out, nil
}

// WatchIngestion sends one whenever it has changed.
func (s *Ingestions) WatchIngestion(r *ragv1.WatchIngestionRequest, stream grpc.ServerStreamingServer[ragv1.WatchIngestionResponse]) error {
	ticker := time.NewTicker(watchPause)
	defer ticker.Stop()
	var sent rag.Ingestion
	for {
		i, err := s.ingestion(stream.Context(), r.GetId())
		if err != nil {
			return err
		}
		if i != sent {
			if err := stream.Send(&ragv1.WatchIngestionResponse{Ingestion: ingestionProto(i)}); err != nil {
				return err
			}
		}
		if sent = i; i.Ended() {
			return nil
		}
		select {
		case <-ticker.C:
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-s.draining:
			return fault.New(fault.Unavailable, "DRAINING", "this process is stopping, watch another")
		}
	}
}

// ingestion returns NotFound for what is no id at all: there is no ingestion with it.
func (s *Ingestions) ingestion(ctx context.Context, id string) (rag.Ingestion, error) {
	if uuid.Validate(id) != nil {
		return rag.Ingestion{}, fault.New(fault.NotFound, "INGESTION_NOT_FOUND", "there is no ingestion with this id")
	}
	return s.store.Ingestion(ctx, rag.IngestionID(id))
}

func ingestionProto(i rag.Ingestion) *ragv1.Ingestion {
	return &ragv1.Ingestion{
		Id:            string(i.ID),
		KnowledgeBase: i.KnowledgeBase,
		DocumentName:  i.DocumentName,
		State:         ingestionState(i.State),
		PassagesDone:  int32(i.PassagesDone),
		PassagesTotal: int32(i.PassagesTotal),
		DocumentId:    string(i.Document),
		Unchanged:     i.Unchanged,
		Reason:        i.Reason,
		Message:       i.Message,
		Attempts:      int32(i.Attempts),
		CreateTime:    timestamp(i.CreateTime),
		UpdateTime:    timestamp(i.UpdateTime),
	}
}

func ingestionState(s rag.IngestionState) ragv1.Ingestion_State {
	switch s {
	case rag.Queued:
		return ragv1.Ingestion_STATE_QUEUED
	case rag.Reading:
		return ragv1.Ingestion_STATE_READING
	case rag.Indexing:
		return ragv1.Ingestion_STATE_INDEXING
	case rag.Done:
		return ragv1.Ingestion_STATE_DONE
	case rag.Failed:
		return ragv1.Ingestion_STATE_FAILED
	case rag.Superseded:
		return ragv1.Ingestion_STATE_SUPERSEDED
	}
	return ragv1.Ingestion_STATE_UNSPECIFIED
}
