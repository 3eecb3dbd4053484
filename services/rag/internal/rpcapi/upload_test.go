package rpcapi_test

import (
	"errors"
	"io"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/services/rag/internal/filetest"
)

// send uploads parts and returns what the service says.
func (b *bundle) send(t *testing.T, parts ...*ragv1.UploadDocumentRequest) (*ragv1.Ingestion, error) {
	t.Helper()
	stream, err := b.documents.UploadDocument(t.Context())
	require.NoError(t, err)
	for _, part := range parts {
		if err := stream.Send(part); err != nil {
			require.ErrorIs(t, err, io.EOF, "the service has ended the call")
			break
		}
	}
	r, err := stream.CloseAndRecv()
	return r.GetIngestion(), err
}

func metadata(name string) *ragv1.UploadDocumentRequest {
	return &ragv1.UploadDocumentRequest{Part: &ragv1.UploadDocumentRequest_Metadata_{Metadata: &ragv1.UploadDocumentRequest_Metadata{Name: name}}}
}

func uploadPiece(content []byte) *ragv1.UploadDocumentRequest {
	return &ragv1.UploadDocumentRequest{Part: &ragv1.UploadDocumentRequest_Content{Content: content}}
}

func TestUploadIsWatchedUntilItAnswers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	content := filetest.PDF([]string{"El envío a Cali cuesta $5."})
	job, err := b.send(t, metadata("envios.pdf"), uploadPiece(content[:50]), uploadPiece(content[50:]))
	require.NoError(t, err)
	require.Equal(t, ragv1.Ingestion_STATE_QUEUED, job.GetState())
	require.Equal(t, "default", job.GetKnowledgeBase())

	watch, err := b.ingestions.WatchIngestion(t.Context(), &ragv1.WatchIngestionRequest{Id: job.GetId()})
	require.NoError(t, err)
	first, err := watch.Recv()
	require.NoError(t, err)
	require.Equal(t, ragv1.Ingestion_STATE_QUEUED, first.GetIngestion().GetState())
	_, err = b.inside.Worker.Next(t.Context())
	require.NoError(t, err)
	var last *ragv1.Ingestion
	for {
		r, err := watch.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		last = r.GetIngestion()
	}
	require.Equal(t, ragv1.Ingestion_STATE_DONE, last.GetState())
	require.EqualValues(t, 1, last.GetPassagesDone())
	require.EqualValues(t, 1, last.GetPassagesTotal())

	got, err := b.documents.GetDocument(t.Context(), &ragv1.GetDocumentRequest{Id: last.GetDocumentId()})
	require.NoError(t, err)
	require.Equal(t, "application/pdf", got.GetDocument().GetContentType())
	require.Equal(t, content, got.GetDocument().GetContent())
	answer, err := b.answers.GenerateAnswer(t.Context(), &ragv1.GenerateAnswerRequest{Turns: turn("¿Cuánto cuesta el envío a Cali?")})
	require.NoError(t, err)
	require.Contains(t, answer.GetText(), "$5")
}

func TestUploadIsRefusedWithItsReason(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for reason, parts := range map[string][]*ragv1.UploadDocumentRequest{
		"METADATA_REQUIRED": {uploadPiece([]byte("x"))},
		"METADATA_TWICE":    {metadata("a"), metadata("a")},
		"PIECE_TOO_LARGE":   {metadata("a"), uploadPiece(make([]byte, 1<<20+1))},
		"DOCUMENT_NAME":     {metadata("")},
		"CONTENT_TYPE":      {metadata("a"), uploadPiece(filetest.Zip(t, map[string]string{"a": "b"}))},
	} {
		_, err := b.send(t, parts...)
		requireStatus(t, err, codes.InvalidArgument, reason)
	}
	_, err := b.send(t)
	requireStatus(t, err, codes.InvalidArgument, "METADATA_REQUIRED")
	large := []*ragv1.UploadDocumentRequest{metadata("a.pdf")}
	for range 33 {
		large = append(large, uploadPiece(make([]byte, 1<<20)))
	}
	_, err = b.send(t, large...)
	requireStatus(t, err, codes.InvalidArgument, "CONTENT_TOO_LARGE")
}

func TestIngestionsAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, name := range []string{"a", "b", "c"} {
		_, err := b.send(t, metadata(name), uploadPiece([]byte("texto "+name)))
		require.NoError(t, err)
	}
	var names []string
	for token := ""; ; {
		page, err := b.ingestions.ListIngestions(t.Context(), &ragv1.ListIngestionsRequest{PageSize: 2, PageToken: token})
		require.NoError(t, err)
		for _, i := range page.GetIngestions() {
			names = append(names, i.GetDocumentName())
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	require.Equal(t, []string{"c", "b", "a"}, names)
	for _, id := range []string{"", "x", uuid.NewString()} {
		_, err := b.ingestions.GetIngestion(t.Context(), &ragv1.GetIngestionRequest{Id: id})
		requireStatus(t, err, codes.NotFound, "INGESTION_NOT_FOUND")
	}
}

func TestWatchEndsWhenTheServiceStops(t *testing.T) {
	t.Parallel()
	b := setup(t)
	job, err := b.send(t, metadata("a"), uploadPiece([]byte("texto")))
	require.NoError(t, err)
	watch, err := b.ingestions.WatchIngestion(t.Context(), &ragv1.WatchIngestionRequest{Id: job.GetId()})
	require.NoError(t, err)
	_, err = watch.Recv()
	require.NoError(t, err)
	b.drain()
	_, err = watch.Recv()
	requireStatus(t, err, codes.Unavailable, "DRAINING")
}
