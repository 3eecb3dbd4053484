package ragtest

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/platform/fault"
)

// Heard is a voice note that was transcribed.
type Heard struct {
	Header    *ragv1.TranscribeHeader
	Recording string
}

// senses is what the server can do with files: nothing at first.
type senses struct {
	can        *ragv1.GetCapabilitiesResponse
	transcribe func(context.Context, Heard) (string, error)
	heard      []Heard
	questions  int
}

// OnTranscribe makes the server listen.
func (r *Server) OnTranscribe(f func(context.Context, Heard) (string, error)) {
	r.Can(func(c *ragv1.GetCapabilitiesResponse) { c.Transcription = true })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.senses.transcribe = f
}

// Can changes what the server says that it can do.
func (r *Server) Can(change func(*ragv1.GetCapabilitiesResponse)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := &ragv1.GetCapabilitiesResponse{
		Transcription: r.senses.can.GetTranscription(), Images: r.senses.can.GetImages(), Documents: r.senses.can.GetDocuments(),
	}
	change(next)
	r.senses.can = next
}

// Heard returns what it was asked to transcribe so far.
func (r *Server) Heard() []Heard {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Heard(nil), r.senses.heard...)
}

// Questions returns how often it was asked what it can do.
func (r *Server) Questions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.senses.questions
}

// GetCapabilities implements the service.
func (r *Server) GetCapabilities(context.Context, *ragv1.GetCapabilitiesRequest) (*ragv1.GetCapabilitiesResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.senses.questions++
	if r.senses.can == nil {
		return &ragv1.GetCapabilitiesResponse{}, nil
	}
	return r.senses.can, nil
}

// Transcribe implements the service.
func (r *Server) Transcribe(stream grpc.ClientStreamingServer[ragv1.TranscribeRequest, ragv1.TranscribeResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	r.mu.Lock()
	transcribe := r.senses.transcribe
	r.mu.Unlock()
	if transcribe == nil {
		return fault.New(fault.Precondition, "TRANSCRIPTION_OFF", "nobody listens")
	}
	h := Heard{Header: first.GetHeader()}
	for {
		next, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		h.Recording += string(next.GetChunk())
	}
	r.mu.Lock()
	r.senses.heard = append(r.senses.heard, h)
	r.mu.Unlock()
	text, err := transcribe(stream.Context(), h)
	if err != nil {
		return err
	}
	return stream.SendAndClose(&ragv1.TranscribeResponse{Text: text})
}
