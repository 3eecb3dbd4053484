package forward_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/rpc"
	"github.com/knobot/knobot/services/gateway/internal/forward"
)

// rag is the peer: its documents answer with what they were asked, its ingestions with three messages or with none.
type rag struct {
	ragv1.UnimplementedDocumentServiceServer
	ragv1.UnimplementedIngestionServiceServer
	metadata chan metadata.MD
	deadline chan time.Time
	broken   chan error
}

// GetDocument says what it was asked, or fails as it is told to.
func (r *rag) GetDocument(ctx context.Context, q *ragv1.GetDocumentRequest) (*ragv1.GetDocumentResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	r.metadata <- md
	deadline, _ := ctx.Deadline()
	r.deadline <- deadline
	if q.GetId() == "missing" {
		return nil, fault.New(fault.NotFound, "DOCUMENT_NOT_FOUND", "there is no such document")
	}
	answer := &ragv1.GetDocumentResponse{Document: &ragv1.Document{Id: q.GetId()}}
	answer.ProtoReflect().SetUnknown(q.ProtoReflect().GetUnknown())
	return answer, nil
}

// UploadDocument counts the bytes.
func (r *rag) UploadDocument(s grpc.ClientStreamingServer[ragv1.UploadDocumentRequest, ragv1.UploadDocumentResponse]) error {
	bytes := 0
	for {
		m, err := s.Recv()
		if err == io.EOF { //nolint:errorlint // the interface returns it bare
			return s.SendAndClose(&ragv1.UploadDocumentResponse{Ingestion: &ragv1.Ingestion{PassagesDone: int32(bytes)}})
		}
		if err != nil {
			r.broken <- err
			return err
		}
		bytes += len(m.GetContent())
	}
}

// WatchIngestion tells of three steps, and of one that goes on for ever.
func (r *rag) WatchIngestion(q *ragv1.WatchIngestionRequest, s grpc.ServerStreamingServer[ragv1.WatchIngestionResponse]) error {
	for range 3 {
		if err := s.Send(&ragv1.WatchIngestionResponse{Ingestion: &ragv1.Ingestion{Id: q.GetId()}}); err != nil {
			return err
		}
	}
	switch q.GetId() {
	case "endless":
		<-s.Context().Done()
		r.broken <- s.Context().Err()
	case "failing":
		return fault.New(fault.Unavailable, "INDEX_UNAVAILABLE", "the index is away").WithRetryAfter(time.Second)
	}
	return nil
}

type bundle struct {
	rag        *rag
	documents  ragv1.DocumentServiceClient
	ingestions ragv1.IngestionServiceClient
	conn       *grpc.ClientConn
	drain      func()
}

func setup(t *testing.T) *bundle {
	t.Helper()
	r := &rag{metadata: make(chan metadata.MD, 1), deadline: make(chan time.Time, 1), broken: make(chan error, 1)}
	peer := rpc.NewServer(zap.NewNop())
	ragv1.RegisterDocumentServiceServer(peer, r)
	ragv1.RegisterIngestionServiceServer(peer, r)
	draining := make(chan struct{})
	server := rpc.NewServer(zap.NewNop())
	require.NoError(t, forward.Register(server, func(method string) bool { return method != "knobot.rag.v1.DocumentService/DeleteDocument" },
		draining, forward.Peer{Package: "knobot.rag.v1", Conn: dial(t, serve(t, peer))}))
	conn := dial(t, serve(t, server))
	return &bundle{r, ragv1.NewDocumentServiceClient(conn), ragv1.NewIngestionServiceClient(conn), conn, func() { close(draining) }}
}

func serve(t *testing.T, server *grpc.Server) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func dial(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := rpc.Dial(address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func reasonOf(err error) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

func TestForward(t *testing.T) {
	t.Parallel()

	t.Run("RequestIDAndDeadlineGoAlongAndCredentialsStay", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		want, _ := ctx.Deadline()
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer canary", "x-request-id", "r-1", "x-other", "y")
		var header metadata.MD
		_, err := b.documents.GetDocument(ctx, &ragv1.GetDocumentRequest{Id: "d"}, grpc.Header(&header))
		require.NoError(t, err)
		md := <-b.rag.metadata
		require.Equal(t, []string{"r-1"}, md.Get("x-request-id"))
		require.Equal(t, []string{"r-1"}, header.Get("x-request-id"))
		require.Empty(t, md.Get("authorization"))
		require.Empty(t, md.Get("x-other"))
		require.WithinDuration(t, want, <-b.rag.deadline, 2*time.Second)
	})

	t.Run("FieldsOfANewerPeerPass", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		q := &ragv1.GetDocumentRequest{Id: "d"}
		q.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 900, protowire.BytesType), "new"))
		answer, err := b.documents.GetDocument(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, "d", answer.GetDocument().GetId())
		require.Equal(t, []byte(q.ProtoReflect().GetUnknown()), []byte(answer.ProtoReflect().GetUnknown()))
	})

	t.Run("ErrorsKeepTheirReason", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.documents.GetDocument(t.Context(), &ragv1.GetDocumentRequest{Id: "missing"})
		require.Equal(t, codes.NotFound, status.Code(err))
		require.Equal(t, "DOCUMENT_NOT_FOUND", reasonOf(err))
		require.Equal(t, "there is no such document", status.Convert(err).Message())
	})

	t.Run("WhatIsNotServedIsUnimplemented", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.documents.DeleteDocument(t.Context(), &ragv1.DeleteDocumentRequest{})
		require.Equal(t, codes.Unimplemented, status.Code(err))
	})

	t.Run("UploadsPassUpwards", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s, err := b.documents.UploadDocument(t.Context())
		require.NoError(t, err)
		for range 10 {
			require.NoError(t, s.Send(&ragv1.UploadDocumentRequest{Part: &ragv1.UploadDocumentRequest_Content{Content: make([]byte, 1<<20)}}))
		}
		answer, err := s.CloseAndRecv()
		require.NoError(t, err)
		require.EqualValues(t, 10<<20, answer.GetIngestion().GetPassagesDone())
	})

	t.Run("WatchesPassDownwardsToTheirEnd", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for id, want := range map[string]string{"ending": "", "failing": "INDEX_UNAVAILABLE"} {
			s, err := b.ingestions.WatchIngestion(t.Context(), &ragv1.WatchIngestionRequest{Id: id})
			require.NoError(t, err)
			for range 3 {
				m, err := s.Recv()
				require.NoError(t, err)
				require.Equal(t, id, m.GetIngestion().GetId())
			}
			_, err = s.Recv()
			require.Equal(t, want, reasonOf(err))
			require.Equal(t, want == "", err == io.EOF) //nolint:errorlint // the interface returns it bare
		}
	})

	t.Run("APeerLearnsThatTheCallerLeft", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ctx, leave := context.WithCancel(t.Context())
		s, err := b.ingestions.WatchIngestion(ctx, &ragv1.WatchIngestionRequest{Id: "endless"})
		require.NoError(t, err)
		_, err = s.Recv()
		require.NoError(t, err)
		leave()
		require.ErrorIs(t, <-b.rag.broken, context.Canceled)
	})

	t.Run("DrainingEndsStreams", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s, err := b.ingestions.WatchIngestion(t.Context(), &ragv1.WatchIngestionRequest{Id: "endless"})
		require.NoError(t, err)
		for range 3 {
			_, err = s.Recv()
			require.NoError(t, err)
		}
		b.drain()
		_, err = s.Recv()
		require.Equal(t, codes.Unavailable, status.Code(err))
		require.Equal(t, "DRAINING", reasonOf(err))
		require.Error(t, <-b.rag.broken)
	})
}

func TestAPeerWithoutDefinitionsIsAFault(t *testing.T) {
	t.Parallel()
	err := forward.Register(grpc.NewServer(), func(string) bool { return true }, nil, forward.Peer{Package: "knobot.nobody.v1"})
	require.ErrorContains(t, err, "nothing of knobot.nobody.v1 is forwarded")
}
