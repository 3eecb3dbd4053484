package rpcapi_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/rpc"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/llm"
	"github.com/knobot/knobot/services/rag/internal/rpcapi"
	"github.com/knobot/knobot/services/rag/internal/transcription"
)

// able is an answerer that is only asked what it can do.
type able struct{ rpcapi.Answerer }

func (able) Capabilities() rag.Capabilities { return rag.Capabilities{Images: true} }
func (able) Streams() bool                  { return true }

// ear is a model that hears what a test says.
type ear func(context.Context, llm.Recording) (string, error)

func (e ear) Transcribe(ctx context.Context, r llm.Recording) (string, error) { return e(ctx, r) }

func hearing(t *testing.T, model transcription.Model) ragv1.AnswerServiceClient {
	t.Helper()
	server := rpc.NewServer(zap.NewNop())
	ragv1.RegisterAnswerServiceServer(server, rpcapi.NewAnswers(able{}, transcription.New(model, zap.NewNop()), nil))
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := rpc.Dial(listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return ragv1.NewAnswerServiceClient(conn)
}

func header() *ragv1.TranscribeRequest {
	return &ragv1.TranscribeRequest{Piece: &ragv1.TranscribeRequest_Header{Header: &ragv1.TranscribeHeader{
		RequestId: "r1", MimeType: "audio/ogg", Filename: "voz.ogg", Language: "es",
	}}}
}

func piece(content string) *ragv1.TranscribeRequest {
	return &ragv1.TranscribeRequest{Piece: &ragv1.TranscribeRequest_Chunk{Chunk: []byte(content)}}
}

func transcribe(t *testing.T, c ragv1.AnswerServiceClient, pieces ...*ragv1.TranscribeRequest) (string, error) {
	t.Helper()
	stream, err := c.Transcribe(t.Context())
	require.NoError(t, err)
	for _, p := range pieces {
		if err := stream.Send(p); err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
	}
	r, err := stream.CloseAndRecv()
	return r.GetText(), err
}

func TestTranscribe(t *testing.T) {
	t.Parallel()

	t.Run("PutsThePiecesTogether", func(t *testing.T) {
		t.Parallel()
		var got llm.Recording
		c := hearing(t, ear(func(_ context.Context, r llm.Recording) (string, error) { got = r; return "¿abren hoy?", nil }))
		text, err := transcribe(t, c, header(), piece("Ogg"), piece(""), piece("S"))
		require.NoError(t, err)
		require.Equal(t, "¿abren hoy?", text)
		require.Equal(t, llm.Recording{
			RequestID: "r1", MIMEType: "audio/ogg", Filename: "voz.ogg", Language: "es", Audio: []byte("OggS"),
		}, got)
	})

	t.Run("SilenceIsEmptyAndNoError", func(t *testing.T) {
		t.Parallel()
		text, err := transcribe(t, hearing(t, ear(func(context.Context, llm.Recording) (string, error) { return "", nil })), header(), piece("x"))
		require.NoError(t, err)
		require.Empty(t, text)
	})

	t.Run("IsRefusedAtTheHeaderWhenOff", func(t *testing.T) {
		t.Parallel()
		stream, err := hearing(t, nil).Transcribe(t.Context())
		require.NoError(t, err)
		require.NoError(t, stream.Send(header()))
		requireStatus(t, stream.RecvMsg(&ragv1.TranscribeResponse{}), codes.FailedPrecondition, "TRANSCRIPTION_OFF")
	})

	t.Run("EachFailureHasItsStatus", func(t *testing.T) {
		t.Parallel()
		megabyte := strings.Repeat("x", 1<<20)
		tooMuch := []*ragv1.TranscribeRequest{header()}
		for range 25 {
			tooMuch = append(tooMuch, piece(megabyte))
		}
		for name, c := range map[string]struct {
			err    error
			pieces []*ragv1.TranscribeRequest
			code   codes.Code
			reason string
		}{
			"refused":        {llm.ErrRefused, []*ragv1.TranscribeRequest{header(), piece("x")}, codes.InvalidArgument, "AUDIO_REFUSED"},
			"failing":        {errors.New("sk-secret"), []*ragv1.TranscribeRequest{header(), piece("x")}, codes.Unavailable, "TRANSCRIBER_UNAVAILABLE"},
			"empty":          {nil, []*ragv1.TranscribeRequest{header()}, codes.InvalidArgument, "AUDIO_REFUSED"},
			"too large":      {nil, append(tooMuch, piece("x")), codes.InvalidArgument, "AUDIO_REFUSED"},
			"no header":      {nil, []*ragv1.TranscribeRequest{piece("x")}, codes.InvalidArgument, "HEADER_REQUIRED"},
			"two headers":    {nil, []*ragv1.TranscribeRequest{header(), header()}, codes.InvalidArgument, "HEADER_REPEATED"},
			"large chunk":    {nil, []*ragv1.TranscribeRequest{header(), piece(megabyte + "x")}, codes.InvalidArgument, "CHUNK_TOO_LARGE"},
			"as large as is": {nil, tooMuch, codes.OK, ""},
		} {
			client := hearing(t, ear(func(context.Context, llm.Recording) (string, error) { return "hola", c.err }))
			_, err := transcribe(t, client, c.pieces...)
			requireStatus(t, err, c.code, c.reason)
			if err != nil {
				require.NotContains(t, err.Error(), "secret", name)
			}
		}
	})

	t.Run("EndsWithTheCaller", func(t *testing.T) {
		t.Parallel()
		ended := make(chan struct{})
		c := hearing(t, ear(func(ctx context.Context, _ llm.Recording) (string, error) {
			<-ctx.Done()
			close(ended)
			return "", ctx.Err()
		}))
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := c.Transcribe(ctx)
		require.NoError(t, err)
		require.NoError(t, stream.Send(header()))
		require.NoError(t, stream.Send(piece("x")))
		require.NoError(t, stream.CloseSend())
		cancel()
		// The caller may leave before the model is asked; then nobody is.
		select {
		case <-ended:
		case <-stream.Context().Done():
		}
		require.Error(t, stream.RecvMsg(&ragv1.TranscribeResponse{}))
	})
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	for on, model := range map[bool]transcription.Model{true: ear(nil), false: nil} {
		can, err := hearing(t, model).GetCapabilities(t.Context(), &ragv1.GetCapabilitiesRequest{})
		require.NoError(t, err)
		require.Equal(t, on, can.GetTranscription())
		require.True(t, can.GetImages())
		require.False(t, can.GetDocuments())
		require.True(t, can.GetStreaming())
	}
}
