package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/knobot/knobot/e2e/internal/system"
	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// document is a line of a file of documents.
type document struct {
	ID    string `json:"doc_id"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

// each decodes every line of a file.
func each[T any](path string, take func(T) error) error {
	file, err := os.Open(path) //nolint:gosec // named by ourselves
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return err
		}
		if err := take(v); err != nil {
			return err
		}
	}
	return lines.Err()
}

// ingest puts the documents of a file into a knowledge base, which is made if need be.
func (e evaluation) ingest(ctx context.Context, kb, path string) error {
	conn := e.system.Conn(e.system.RAG)
	_, err := ragv1.NewKnowledgeBaseServiceClient(conn).CreateKnowledgeBase(ctx, &ragv1.CreateKnowledgeBaseRequest{Name: kb})
	if err != nil && status.Code(err) != codes.AlreadyExists {
		return err
	}
	documents := ragv1.NewDocumentServiceClient(conn)
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(4)
	err = each(path, func(d document) error {
		work.Go(func() error {
			_, err := documents.CreateDocument(ctx, &ragv1.CreateDocumentRequest{
				KnowledgeBase: kb, Name: d.ID, Title: d.Title, ContentType: "text/markdown", Content: []byte(d.Text),
			})
			return err
		})
		return ctx.Err()
	})
	if failed := work.Wait(); failed != nil {
		return failed
	}
	return err
}

// printFailures shows the questions that were not served.
func (e evaluation) printFailures(ctx context.Context, args []string) error {
	out, err := exec.CommandContext(ctx, system.Bin("knobot"), args...).Output()
	if err != nil {
		return err
	}
	var r ragv1.EvaluateResponse
	if err := protojson.Unmarshal(out, &r); err != nil {
		return err
	}
	for _, q := range r.GetResults() {
		if !q.GetRight() {
			fmt.Printf("%s declined=%t %.2f %v: %q\n", q.GetId(), q.GetDeclined(), q.GetConfidence(), q.GetDocuments(), q.GetText())
		}
	}
	return nil
}
