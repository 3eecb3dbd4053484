package channelstest

import (
	"context"

	"google.golang.org/grpc"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/platform/fault"
)

// files is the store of what customers send: everything can be fetched, and holds its own id.
type files struct {
	fetch   func(context.Context, *channelsv1.FetchMediaRequest) error
	content map[string]string
	fetched []*channelsv1.FetchMediaRequest
	read    []string
}

// OnFetch is asked before each fetch; an error is what the caller gets.
func (c *Server) OnFetch(f func(context.Context, *channelsv1.FetchMediaRequest) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files.fetch = f
}

// Holds gives a provider's file a content.
func (c *Server) Holds(media, content string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files.content == nil {
		c.files.content = map[string]string{}
	}
	c.files.content[media] = content
}

// Fetched returns what was asked to be fetched, in order, failures too.
func (c *Server) Fetched() []*channelsv1.FetchMediaRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*channelsv1.FetchMediaRequest(nil), c.files.fetched...)
}

// Read returns the ids of what was read, in order.
func (c *Server) Read() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.files.read...)
}

const stored = "stored-"

func (c *Server) contentOf(media string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if content, ok := c.files.content[media]; ok {
		return content
	}
	return media
}

// FetchMedia implements the service: the file m is stored as stored-m.
func (c *Server) FetchMedia(ctx context.Context, r *channelsv1.FetchMediaRequest) (*channelsv1.FetchMediaResponse, error) {
	c.mu.Lock()
	c.files.fetched = append(c.files.fetched, r)
	fetch := c.files.fetch
	c.mu.Unlock()
	if fetch != nil {
		if err := fetch(ctx, r); err != nil {
			return nil, err
		}
	}
	media := r.GetMedia().GetId()
	return &channelsv1.FetchMediaResponse{Media: &channelsv1.StoredMedia{
		Id: stored + media, IntegrationId: r.GetIntegrationId(), MimeType: r.GetMedia().GetMimeType(),
		SizeBytes: int64(len(c.contentOf(media))),
	}}, nil
}

// GetMedia implements the service, in small pieces.
func (c *Server) GetMedia(r *channelsv1.GetMediaRequest, stream grpc.ServerStreamingServer[channelsv1.GetMediaResponse]) error {
	c.mu.Lock()
	c.files.read = append(c.files.read, r.GetId())
	c.mu.Unlock()
	if len(r.GetId()) < len(stored) || r.GetId()[:len(stored)] != stored {
		return fault.New(fault.NotFound, "MEDIA_NOT_FOUND", "no such file")
	}
	content := c.contentOf(r.GetId()[len(stored):])
	err := stream.Send(&channelsv1.GetMediaResponse{Piece: &channelsv1.GetMediaResponse_Media{Media: &channelsv1.StoredMedia{Id: r.GetId()}}})
	const most = 256 << 10
	for ; err == nil && content != ""; content = content[min(most, len(content)):] {
		err = stream.Send(&channelsv1.GetMediaResponse{Piece: &channelsv1.GetMediaResponse_Chunk{Chunk: []byte(content[:min(most, len(content))])}})
	}
	return err
}
