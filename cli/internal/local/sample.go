package local

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/knobot/knobot/cli/sample"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// sampleTimeout bounds loading the sample; Weaviate may still be starting.
const sampleTimeout = 2 * time.Minute

// loadSample fills the default knowledge base with the sample shop when it is empty and nothing but the simulator is used: a
// company that brings its own number or bot brings its own documents.
func (s *stack) loadSample(ctx context.Context) error {
	if !s.whatsapp || !s.telegram {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, sampleTimeout)
	defer cancel()
	conn, err := grpc.NewClient(s.env["KNOBOT_RAG_ADDR"], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	documents := ragv1.NewDocumentServiceClient(conn)
	stored, err := documents.ListDocuments(ctx, &ragv1.ListDocumentsRequest{PageSize: 1})
	if err != nil {
		return fmt.Errorf("list documents: %w", err)
	}
	if len(stored.GetDocuments()) > 0 {
		return nil
	}
	s.say("Loading the sample knowledge base …")
	return storeSample(ctx, documents, sample.Documents())
}

func storeSample(ctx context.Context, documents ragv1.DocumentServiceClient, files fs.FS) error {
	names, err := fs.Glob(files, "*.md")
	if err != nil {
		return err
	}
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if _, err := documents.CreateDocument(ctx, &ragv1.CreateDocumentRequest{Name: name, Content: content}); err != nil {
			return fmt.Errorf("store %s: %w", name, err)
		}
	}
	return nil
}
