package command

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// shelf is a rag service on the wire that keeps what it is given, and fails PDFs.
type shelf struct {
	ragv1.UnimplementedDocumentServiceServer
	ragv1.UnimplementedIngestionServiceServer
	ragv1.UnimplementedSourceServiceServer
	contents map[string][]byte
	watches  int
}

func (s *shelf) UploadDocument(stream grpc.ClientStreamingServer[ragv1.UploadDocumentRequest, ragv1.UploadDocumentResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	name := first.GetMetadata().GetName()
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&ragv1.UploadDocumentResponse{Ingestion: &ragv1.Ingestion{Id: name, State: ragv1.Ingestion_STATE_QUEUED}})
		}
		if err != nil {
			return err
		}
		s.contents[name] = append(s.contents[name], r.GetContent()...)
	}
}

func (s *shelf) WatchIngestion(r *ragv1.WatchIngestionRequest, stream grpc.ServerStreamingServer[ragv1.WatchIngestionResponse]) error {
	if s.watches++; s.watches == 1 {
		return status.Error(codes.Unavailable, "restarting")
	}
	last := &ragv1.Ingestion{Id: r.GetId(), State: ragv1.Ingestion_STATE_DONE, PassagesDone: 3, PassagesTotal: 3}
	if filepath.Ext(r.GetId()) == ".pdf" {
		last = &ragv1.Ingestion{Id: r.GetId(), State: ragv1.Ingestion_STATE_FAILED, Reason: "CONTENT_ENCRYPTED", Message: "it asks for a password"}
	}
	return stream.Send(&ragv1.WatchIngestionResponse{Ingestion: last})
}

func (s *shelf) CreateSource(_ context.Context, r *ragv1.CreateSourceRequest) (*ragv1.CreateSourceResponse, error) {
	if s.contents[r.GetUrl()] != nil {
		return nil, status.Error(codes.AlreadyExists, "it is there")
	}
	s.contents[r.GetUrl()] = []byte(r.GetRefreshInterval().AsDuration().String())
	return &ragv1.CreateSourceResponse{Source: &ragv1.Source{Id: "s1", Url: r.GetUrl()}}, nil
}

func serve(t *testing.T, s *shelf) string {
	t.Helper()
	server := grpc.NewServer()
	ragv1.RegisterDocumentServiceServer(server, s)
	ragv1.RegisterIngestionServiceServer(server, s)
	ragv1.RegisterSourceServiceServer(server, s)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func TestIngestUploadsAndTellsWhatBecameOfEachFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := bytes.Repeat([]byte("a,b\n"), 200_000)
	for name, content := range map[string][]byte{"a.csv": large, "b.pdf": []byte("%PDF"), "c.exe": []byte("no"), ".d.md": []byte("no")} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	s := &shelf{contents: map[string][]byte{}}
	var out, errOut bytes.Buffer
	code := Run(t.Context(), []string{"ingest", "--server", serve(t, s), dir}, nil, &out, &errOut)
	require.Equal(t, exitError, code)
	require.Equal(t, "[1/2] a.csv: 3 passages\n[2/2] b.pdf: it asks for a password (CONTENT_ENCRYPTED)\n", out.String())
	require.Equal(t, "knobot: 1 of 2 documents were not stored\n", errOut.String())
	require.Equal(t, map[string][]byte{"a.csv": large, "b.pdf": []byte("%PDF")}, s.contents)
}

func TestIngestRefusesAFileThatIsTooLarge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.pdf")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(maxDocument+1))
	require.NoError(t, f.Close())
	var out, errOut bytes.Buffer
	require.Equal(t, exitError, Run(t.Context(), []string{"ingest", "--server", serve(t, &shelf{}), path}, nil, &out, &errOut))
	require.Equal(t, "[1/1] a.pdf: larger than 32 MiB\n", out.String())
}

func TestIngestAddsWebAddressesAsSources(t *testing.T) {
	t.Parallel()
	s := &shelf{contents: map[string][]byte{}}
	address := serve(t, s)
	var out, errOut bytes.Buffer
	ingest := func() int {
		return Run(t.Context(), []string{"ingest", "--server", address, "--every", "1h", "https://tienda.example/ayuda"}, nil, &out, &errOut)
	}
	require.Equal(t, exitOK, ingest(), errOut.String())
	require.Contains(t, out.String(), "https://tienda.example/ayuda: source s1 is being fetched")
	require.Equal(t, "1h0m0s", string(s.contents["https://tienda.example/ayuda"]))
	require.Equal(t, exitOK, ingest())
	require.Contains(t, out.String(), "is a source already")
}

func TestIngestOfNothingFails(t *testing.T) {
	t.Parallel()
	var out, errOut bytes.Buffer
	path := filepath.Join(t.TempDir(), "nada")
	require.Equal(t, exitError, Run(t.Context(), []string{"ingest", "--server", "127.0.0.1:1", path}, nil, &out, &errOut))
	require.Contains(t, errOut.String(), "nada")
}
