package rpcapi

import (
	"context"

	"google.golang.org/grpc"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/rag/internal/llm"
)

// Transcriber writes down what voice notes say.
type Transcriber interface {
	// Enabled says whether there is a model for it.
	Enabled() bool
	// Transcribe reads a voice note up to io.EOF. It returns Precondition, Invalid or Unavailable.
	Transcribe(ctx context.Context, r llm.Recording, next func() ([]byte, error)) (string, error)
}

// maxChunk is the contract's, in bytes.
const maxChunk = 1 << 20

// Transcribe writes down what a voice note says.
func (s *Answers) Transcribe(stream grpc.ClientStreamingServer[ragv1.TranscribeRequest, ragv1.TranscribeResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	h := first.GetHeader()
	if h == nil {
		return fault.New(fault.Invalid, "HEADER_REQUIRED", "the header comes first")
	}
	text, err := s.transcriber.Transcribe(stream.Context(), recording(h), func() ([]byte, error) { return chunk(stream.Recv()) })
	if err != nil {
		return err
	}
	return stream.SendAndClose(&ragv1.TranscribeResponse{Text: text})
}

// GetCapabilities says what the configured models can do.
func (s *Answers) GetCapabilities(context.Context, *ragv1.GetCapabilitiesRequest) (*ragv1.GetCapabilitiesResponse, error) {
	can := s.answerer.Capabilities()
	return &ragv1.GetCapabilitiesResponse{
		Transcription: s.transcriber.Enabled(), Images: can.Images, Documents: can.Documents,
		Streaming: s.answerer.Streams(),
	}, nil
}

func recording(h *ragv1.TranscribeHeader) llm.Recording {
	return llm.Recording{
		RequestID: h.GetRequestId(), MIMEType: h.GetMimeType(), Filename: h.GetFilename(), Language: h.GetLanguage(),
	}
}

func chunk(r *ragv1.TranscribeRequest, err error) ([]byte, error) {
	switch {
	case err != nil:
		return nil, err
	case r.GetHeader() != nil:
		return nil, fault.New(fault.Invalid, "HEADER_REPEATED", "the header comes once")
	case len(r.GetChunk()) > maxChunk:
		return nil, fault.New(fault.Invalid, "CHUNK_TOO_LARGE", "a chunk holds at most 1 MiB")
	}
	return r.GetChunk(), nil
}
