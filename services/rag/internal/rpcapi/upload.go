package rpcapi

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/ingestion"
)

const (
	// maxPiece bounds a piece of an upload, in bytes.
	maxPiece = 1 << 20
	// maxUploads is how many contents a process holds in memory at the same time; further uploads wait.
	maxUploads = 4
	// uploadTime bounds how long one may take to come.
	uploadTime = 5 * time.Minute
)

// UploadDocument gathers a content and queues it.
func (s *Documents) UploadDocument(stream grpc.ClientStreamingServer[ragv1.UploadDocumentRequest, ragv1.UploadDocumentResponse]) error {
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	case <-stream.Context().Done():
		return stream.Context().Err()
	}
	up, err := within(uploadTime, func() (ingestion.Upload, error) { return receive(stream) })
	if err != nil {
		return err
	}
	job, err := s.library.Submit(stream.Context(), up)
	if err != nil {
		return err
	}
	return stream.SendAndClose(&ragv1.UploadDocumentResponse{Ingestion: ingestionProto(job)})
}

// within returns what f returns, or gives up on it: the end of the call then ends f too.
func within[T any](d time.Duration, f func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	ended := make(chan outcome, 1)
	go func() {
		value, err := f()
		ended <- outcome{value, err}
	}()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case o := <-ended:
		return o.value, o.err
	case <-timer.C:
		var none T
		return none, fault.New(fault.Unavailable, "UPLOAD_TIMEOUT", "the upload took longer than five minutes")
	}
}

// receive returns the upload once it has come whole.
func receive(stream grpc.ClientStreamingServer[ragv1.UploadDocumentRequest, ragv1.UploadDocumentResponse]) (ingestion.Upload, error) {
	first, err := stream.Recv()
	if err != nil && !errors.Is(err, io.EOF) {
		return ingestion.Upload{}, err
	}
	if first.GetMetadata() == nil {
		return ingestion.Upload{}, fault.New(fault.Invalid, "METADATA_REQUIRED", "the metadata must come first")
	}
	up := uploadOf(first.GetMetadata())
	for {
		r, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return up, nil
		case err != nil:
			return ingestion.Upload{}, err
		case r.GetMetadata() != nil:
			return ingestion.Upload{}, fault.New(fault.Invalid, "METADATA_TWICE", "the metadata must come once")
		case len(r.GetContent()) > maxPiece:
			return ingestion.Upload{}, fault.New(fault.Invalid, "PIECE_TOO_LARGE", "a piece of content must be at most 1 MiB")
		case len(up.Content)+len(r.GetContent()) > ingestion.MaxFile:
			return ingestion.Upload{}, fault.New(fault.Invalid, "CONTENT_TOO_LARGE", "content must be at most 32 MiB")
		}
		up.Content = append(up.Content, r.GetContent()...)
	}
}

func uploadOf(m *ragv1.UploadDocumentRequest_Metadata) ingestion.Upload {
	return ingestion.Upload{
		KnowledgeBase: knowledgeBase(m.GetKnowledgeBase()),
		Name:          m.GetName(),
		Title:         m.GetTitle(),
		SourceURI:     m.GetSourceUri(),
		Type:          rag.ContentType(m.GetContentType()),
		Audience:      audience(m.GetAudience()),
		Trust:         trust(m.GetTrust()),
	}
}

// Submitter queues documents.
type Submitter interface {
	// Submit returns Invalid, NotFound or Unavailable.
	Submit(ctx context.Context, up ingestion.Upload) (rag.Ingestion, error)
}
