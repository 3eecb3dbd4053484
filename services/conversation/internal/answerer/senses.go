package answerer

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/peer"
)

const (
	// ableFor is how long rag's word on what it can do is taken for true.
	ableFor = time.Minute
	// ableTimeout bounds asking for it, hearingTimeout a transcription: the largest recording, and the tries that rag makes.
	ableTimeout    = 5 * time.Second
	hearingTimeout = 3 * time.Minute
	// maxChunk is the contract's, in bytes.
	maxChunk = 1 << 20
)

// Senses lets rag listen, and knows what it can do. It implements conversation.Senses.
type Senses struct {
	conn    *grpc.ClientConn
	answers ragv1.AnswerServiceClient

	mu    sync.Mutex
	able  conversation.Abilities
	until time.Time
}

var _ conversation.Senses = (*Senses)(nil)

// NewSenses returns them over a connection.
func NewSenses(conn *grpc.ClientConn) *Senses {
	return &Senses{conn: conn, answers: ragv1.NewAnswerServiceClient(conn)}
}

// Able says what rag can do with files.
func (s *Senses) Able(ctx context.Context) (conversation.Abilities, error) {
	s.mu.Lock()
	able, known := s.able, time.Now().Before(s.until)
	s.mu.Unlock()
	if known {
		return able, nil
	}
	if err := peer.Present(s.conn); err != nil {
		return able, err
	}
	ctx, cancel := context.WithTimeout(ctx, ableTimeout)
	defer cancel()
	r, err := s.answers.GetCapabilities(ctx, &ragv1.GetCapabilitiesRequest{})
	if err != nil && status.Code(err) != codes.Unimplemented { // the version before can do nothing with files
		return able, peer.Error(err)
	}
	able = conversation.Abilities{Transcription: r.GetTranscription(), Images: r.GetImages(), Documents: r.GetDocuments()}
	s.note(able, time.Now().Add(ableFor))
	return able, nil
}

func (s *Senses) note(able conversation.Abilities, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.able, s.until = able, until
}

// Transcribe hands a recording to rag as it comes.
func (s *Senses) Transcribe(ctx context.Context, v conversation.VoiceNote, recording iter.Seq2[[]byte, error]) (string, error) {
	if err := peer.Present(s.conn); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, hearingTimeout)
	defer cancel()
	stream, err := s.answers.Transcribe(ctx)
	if err != nil {
		return "", peer.Error(err)
	}
	if err := send(stream, v, recording); err != nil {
		return "", err
	}
	r, err := stream.CloseAndRecv()
	if err != nil {
		return "", s.unheard(err)
	}
	return conversation.Transcript(r.GetText()), nil
}

// send sends the pieces in their order. It stops without an error where rag has ended the call: the reason comes with its
// answer.
func send(stream ragv1.AnswerService_TranscribeClient, v conversation.VoiceNote, recording iter.Seq2[[]byte, error]) error {
	err := stream.Send(&ragv1.TranscribeRequest{Piece: &ragv1.TranscribeRequest_Header{Header: &ragv1.TranscribeHeader{
		RequestId: string(v.Request), MimeType: v.MIMEType, Filename: v.Filename,
	}}})
	if err != nil {
		return ended(err)
	}
	for piece, err := range recording {
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(piece, maxChunk) {
			if err := stream.Send(&ragv1.TranscribeRequest{Piece: &ragv1.TranscribeRequest_Chunk{Chunk: chunk}}); err != nil {
				return ended(err)
			}
		}
	}
	return nil
}

func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return peer.Error(err)
}

// unheard gives rag's errors their meaning. One that does not listen any more is asked again what it can do.
func (s *Senses) unheard(err error) error {
	e := peer.Error(err)
	if e.Reason == "TRANSCRIPTION_OFF" {
		e.Verdict = conversation.Refused
		s.note(conversation.Abilities{}, time.Time{})
	}
	return e
}
