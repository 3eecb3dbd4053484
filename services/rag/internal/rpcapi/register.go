package rpcapi

import (
	"google.golang.org/grpc"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/services/rag/internal/crawl"
	"github.com/knobot/knobot/services/rag/internal/ingestion"
	"github.com/knobot/knobot/services/rag/internal/postgres"
)

// RegisterDocuments serves what puts documents in and takes them out. Its streams end when draining is closed.
func RegisterDocuments(
	server *grpc.Server, library *ingestion.Library, crawler *crawl.Crawler, store *postgres.Store, draining <-chan struct{},
) {
	ragv1.RegisterDocumentServiceServer(server, NewDocuments(library, store))
	ragv1.RegisterIngestionServiceServer(server, NewIngestions(store, draining))
	ragv1.RegisterSourceServiceServer(server, NewSources(crawler, store))
}
