package command

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// documentsCommand lists and deletes documents.
type documentsCommand struct {
	List   documentsListCommand   `cmd:"" default:"withargs" help:"List the documents of a knowledge base, and uploads that are not done."`
	Delete documentsDeleteCommand `cmd:"" help:"Delete documents; questions are not answered from them any more."`
}

type documentsListCommand struct {
	ragPeer
	KnowledgeBase string `default:"default" help:"The knowledge base."`
}

// Run prints one line per document, then one per upload that waits, is at work or failed.
func (c documentsListCommand) Run(ctx context.Context, s streams) error {
	conn, err := dial(c.RAG)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tTITLE\tVERSION\tPASSAGES\tUPDATED")
	documents := ragv1.NewDocumentServiceClient(conn)
	for token := ""; ; {
		r, err := documents.ListDocuments(ctx, &ragv1.ListDocumentsRequest{KnowledgeBase: c.KnowledgeBase, PageSize: 1000, PageToken: token})
		if err != nil {
			return err
		}
		for _, d := range r.GetDocuments() {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\n", d.GetId(), d.GetName(), d.GetTitle(), d.GetVersion(), d.GetPassageCount(),
				d.GetUpdateTime().AsTime().Local().Format(time.DateTime))
		}
		if token = r.GetNextPageToken(); token == "" {
			break
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return c.uploads(ctx, ragv1.NewIngestionServiceClient(conn), s)
}

// uploads prints the latest upload of each document that is not done.
func (c documentsListCommand) uploads(ctx context.Context, ingestions ragv1.IngestionServiceClient, s streams) error {
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
	ragPeer
	IDs []string `arg:"" name:"id" help:"Ids, as the list shows them."`
}

// Run deletes them.
func (c documentsDeleteCommand) Run(ctx context.Context, s streams) error {
	conn, err := dial(c.RAG)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	documents := ragv1.NewDocumentServiceClient(conn)
	for _, id := range c.IDs {
		if _, err := documents.DeleteDocument(ctx, &ragv1.DeleteDocumentRequest{Id: id}); err != nil {
			return fmt.Errorf("%s: %s", id, readable(err))
		}
		fmt.Fprintln(s.out, id, "deleted")
	}
	return nil
}
