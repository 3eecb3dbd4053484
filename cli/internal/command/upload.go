package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

const (
	// maxDocument is the rag service's own limit in bytes; asking here saves sending what it would refuse.
	maxDocument = 32 << 20
	// piece is how much of a file one message carries, in bytes.
	piece = 256 << 10
	// uploadTimeout bounds the sending of a file.
	uploadTimeout = 5 * time.Minute
)

// uploader sends files and waits for what becomes of them.
type uploader struct {
	documents     ragv1.DocumentServiceClient
	ingestions    ragv1.IngestionServiceClient
	knowledgeBase string
	// progress is called with what there is to say while a document is being made.
	progress func(note string)
}

// store returns what became of a file.
func (u uploader) store(ctx context.Context, file documentFile) (string, error) {
	job, err := u.send(ctx, file)
	if err != nil {
		return "", err
	}
	if job, err = u.await(ctx, job); err != nil {
		return "", err
	}
	switch job.GetState() {
	case ragv1.Ingestion_STATE_DONE:
		if job.GetUnchanged() {
			return "unchanged", nil
		}
		return fmt.Sprintf("%d passages", job.GetPassagesTotal()), nil
	case ragv1.Ingestion_STATE_SUPERSEDED:
		return "superseded by a newer upload", nil
	default:
		return "", fmt.Errorf("%s (%s)", job.GetMessage(), job.GetReason())
	}
}

func (u uploader) send(ctx context.Context, file documentFile) (*ragv1.Ingestion, error) {
	f, err := os.Open(file.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() > maxDocument {
		return nil, fmt.Errorf("larger than %d MiB", maxDocument>>20)
	}
	ctx, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	stream, err := u.documents.UploadDocument(ctx)
	if err != nil {
		return nil, err
	}
	metadata := &ragv1.UploadDocumentRequest_Metadata{KnowledgeBase: u.knowledgeBase, Name: file.name}
	err = stream.Send(&ragv1.UploadDocumentRequest{Part: &ragv1.UploadDocumentRequest_Metadata_{Metadata: metadata}})
	for buffer := make([]byte, piece); err == nil; {
		var n int
		n, err = f.Read(buffer)
		if n > 0 {
			err = errors.Join(err, stream.Send(&ragv1.UploadDocumentRequest{Part: &ragv1.UploadDocumentRequest_Content{Content: buffer[:n]}}))
		}
	}
	if !errors.Is(err, io.EOF) { // the file's end, or the service's, which says why below
		return nil, err
	}
	r, err := stream.CloseAndRecv()
	return r.GetIngestion(), err
}

// await watches an ingestion until it has ended, also over a restart of the service.
func (u uploader) await(ctx context.Context, job *ragv1.Ingestion) (*ragv1.Ingestion, error) {
	for !ended(job) {
		var err error
		job, err = u.watch(ctx, job)
		if err == nil {
			continue
		}
		if status.Code(err) != codes.Unavailable || ctx.Err() != nil {
			return nil, err
		}
		u.progress("waiting for the service")
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return job, nil
}

// watch returns the newest that it heard, with an error if the stream broke off.
func (u uploader) watch(ctx context.Context, job *ragv1.Ingestion) (*ragv1.Ingestion, error) {
	stream, err := u.ingestions.WatchIngestion(ctx, &ragv1.WatchIngestionRequest{Id: job.GetId()})
	for err == nil {
		var r *ragv1.WatchIngestionResponse
		if r, err = stream.Recv(); err == nil {
			job = r.GetIngestion()
			u.progress(stage(job))
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return job, err
}

func ended(job *ragv1.Ingestion) bool {
	switch job.GetState() {
	case ragv1.Ingestion_STATE_DONE, ragv1.Ingestion_STATE_FAILED, ragv1.Ingestion_STATE_SUPERSEDED:
		return true
	default:
		return false
	}
}

// stage says how far an ingestion is.
func stage(job *ragv1.Ingestion) string {
	switch job.GetState() {
	case ragv1.Ingestion_STATE_READING:
		return "reading"
	case ragv1.Ingestion_STATE_INDEXING:
		return fmt.Sprintf("indexing %s %d of %d passages", bar(int64(job.GetPassagesDone()), int64(job.GetPassagesTotal())), job.GetPassagesDone(), job.GetPassagesTotal())
	case ragv1.Ingestion_STATE_QUEUED:
		if job.GetReason() != "" {
			return "waiting: " + job.GetMessage()
		}
		return "queued"
	default:
		return ""
	}
}
