package rpcapi

import (
	"context"
	"errors"
	"io"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/media"
)

const (
	maxMediaID = 512
	// maxMIMEType is more than any type needs.
	maxMIMEType   = 255
	maxUploadName = 1000
	// outChunk is the size of the pieces that GetMedia sends; inChunk the most that a piece of UploadMedia may have.
	outChunk = 64 << 10
	inChunk  = 1 << 20
)

// FetchMedia implements ChannelService.
func (s *channelServer) FetchMedia(ctx context.Context, r *channelsv1.FetchMediaRequest) (*channelsv1.FetchMediaResponse, error) {
	if err := firstError(integrationID(r.GetIntegrationId()), ascii("media.id", r.GetMedia().GetId(), 1, maxMediaID)); err != nil {
		return nil, err
	}
	m, err := s.media.Fetch(ctx, r.GetIntegrationId(), channels.ReceivedMedia{
		ProviderID: r.GetMedia().GetId(), MIMEType: r.GetMedia().GetMimeType(), SHA256: r.GetMedia().GetSha256(),
		Filename: r.GetMedia().GetFilename(), SizeBytes: r.GetMedia().GetSizeBytes(),
	})
	if err != nil {
		return nil, err
	}
	return &channelsv1.FetchMediaResponse{Media: mediaProto(m)}, nil
}

// GetMedia implements ChannelService.
func (s *channelServer) GetMedia(r *channelsv1.GetMediaRequest, stream grpc.ServerStreamingServer[channelsv1.GetMediaResponse]) error {
	m, body, err := s.media.Read(stream.Context(), r.GetId())
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	if err := stream.Send(&channelsv1.GetMediaResponse{Piece: &channelsv1.GetMediaResponse_Media{Media: mediaProto(m)}}); err != nil {
		return err
	}
	_, err = io.CopyBuffer(chunkWriter{stream}, struct{ io.Reader }{body}, make([]byte, outChunk))
	return err
}

// UploadMedia implements ChannelService.
func (s *channelServer) UploadMedia(stream grpc.ClientStreamingServer[channelsv1.UploadMediaRequest, channelsv1.UploadMediaResponse]) error {
	header, err := uploadHeader(stream)
	if err != nil {
		return err
	}
	m, err := s.media.Upload(stream.Context(), media.Upload{
		IntegrationID: header.GetIntegrationId(), MIMEType: header.GetMimeType(), Filename: header.GetFilename(),
		Body: &chunkReader{stream: stream},
	})
	if err != nil {
		return err
	}
	return stream.SendAndClose(&channelsv1.UploadMediaResponse{Media: mediaProto(m)})
}

func uploadHeader(
	stream grpc.ClientStreamingServer[channelsv1.UploadMediaRequest, channelsv1.UploadMediaResponse],
) (*channelsv1.UploadMediaHeader, error) {
	first, err := stream.Recv()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	h := first.GetHeader()
	if h == nil {
		return nil, invalid("header", "must come first")
	}
	return h, firstError(integrationID(h.GetIntegrationId()), text("header.mime_type", h.GetMimeType(), 1, maxMIMEType),
		text("header.filename", h.GetFilename(), 0, maxUploadName))
}

func integrationID(id string) error {
	if uuid.Validate(id) != nil {
		return invalid("integration_id", "is not an integration's")
	}
	return nil
}

// chunkWriter sends what is written as pieces of a file. gRPC has taken the bytes when Send returns.
type chunkWriter struct {
	stream grpc.ServerStreamingServer[channelsv1.GetMediaResponse]
}

// Write sends one piece.
func (w chunkWriter) Write(p []byte) (int, error) {
	if err := w.stream.Send(&channelsv1.GetMediaResponse{Piece: &channelsv1.GetMediaResponse_Chunk{Chunk: p}}); err != nil {
		return 0, err
	}
	return len(p), nil
}

// chunkReader reads the pieces of a file that come after its header.
type chunkReader struct {
	stream grpc.ClientStreamingServer[channelsv1.UploadMediaRequest, channelsv1.UploadMediaResponse]
	rest   []byte
}

// Read reads.
func (r *chunkReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		piece, err := r.stream.Recv()
		if err != nil {
			return 0, err
		}
		if piece.GetHeader() != nil {
			return 0, invalid("header", "must come once")
		}
		if r.rest = piece.GetChunk(); len(r.rest) > inChunk {
			return 0, invalid("chunk", "has more than 1 MiB")
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func mediaProto(m channels.MediaRecord) *channelsv1.StoredMedia {
	return &channelsv1.StoredMedia{
		Id: m.ID, IntegrationId: m.IntegrationID, MimeType: m.MIMEType, Filename: m.Filename, SizeBytes: m.SizeBytes,
		Sha256: m.SHA256, CreateTime: timestamppb.New(m.CreateTime),
	}
}
