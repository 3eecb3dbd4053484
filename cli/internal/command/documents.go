package command

import (
	"context"
	"fmt"

	"github.com/knobot/knobot/cli/internal/present"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// documentsCommand lists and deletes documents.
type documentsCommand struct {
	List   documentsListCommand   `cmd:"" default:"withargs" help:"List the documents of a knowledge base, and uploads that are not done."`
	Delete documentsDeleteCommand `cmd:"" help:"Delete documents; questions are not answered from them any more."`
}

type documentsListCommand struct {
	KnowledgeBase string `default:"default" help:"The knowledge base."`
}

// Run prints one line per document, then to people one per upload that waits, is at work or failed.
func (c documentsListCommand) Run(ctx context.Context, s session) error {
	err := call(ctx, s, ragv1.NewDocumentServiceClient, func(ctx context.Context, documents ragv1.DocumentServiceClient) error {
		all := &ragv1.ListDocumentsResponse{}
		for token := ""; ; {
			r, err := documents.ListDocuments(ctx, &ragv1.ListDocumentsRequest{KnowledgeBase: c.KnowledgeBase, PageSize: 1000, PageToken: token})
			if err != nil {
				return err
			}
			all.Documents = append(all.Documents, r.GetDocuments()...)
			if token = r.GetNextPageToken(); token == "" {
				return s.show(all, func() present.Table { return documentTable(all.GetDocuments()) })
			}
		}
	})
	if err != nil || s.format != present.AsTable {
		return err
	}
	return call(ctx, s, ragv1.NewIngestionServiceClient, func(ctx context.Context, ingestions ragv1.IngestionServiceClient) error {
		return c.uploads(ctx, ingestions, s)
	})
}

func documentTable(documents []*ragv1.Document) present.Table {
	t := present.Table{Header: []string{"ID", "NAME", "TITLE", "VERSION", "PASSAGES", "UPDATED"}}
	for _, d := range documents {
		t.Add(d.GetId(), d.GetName(), d.GetTitle(), d.GetVersion(), d.GetPassageCount(), moment(d.GetUpdateTime()))
	}
	return t
}

// uploads prints the latest upload of each document that is not done.
func (c documentsListCommand) uploads(ctx context.Context, ingestions ragv1.IngestionServiceClient, s session) error {
	r, err := ingestions.ListIngestions(ctx, &ragv1.ListIngestionsRequest{KnowledgeBase: c.KnowledgeBase, PageSize: 1000})
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, job := range r.GetIngestions() {
		if seen[job.GetDocumentName()] {
			continue
		}
		seen[job.GetDocumentName()] = true
		if !ended(job) {
			fmt.Fprintf(s.out, "%s: %s\n", job.GetDocumentName(), stage(job))
		} else if job.GetState() == ragv1.Ingestion_STATE_FAILED {
			fmt.Fprintf(s.out, "%s: failed: %s (%s)\n", job.GetDocumentName(), job.GetMessage(), job.GetReason())
		}
	}
	return nil
}

type documentsDeleteCommand struct {
	IDs []string `arg:"" name:"id" help:"Ids, as the list shows them."`
}

// Run deletes them.
func (c documentsDeleteCommand) Run(ctx context.Context, s session) error {
	return call(ctx, s, ragv1.NewDocumentServiceClient, func(ctx context.Context, documents ragv1.DocumentServiceClient) error {
		for _, id := range c.IDs {
			r, err := documents.DeleteDocument(ctx, &ragv1.DeleteDocumentRequest{Id: id})
			if err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
			if err := s.done(r, "%s deleted", id); err != nil {
				return err
			}
		}
		return nil
	})
}
