package sender

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/peer"
)

// FetchTimeout covers the largest file of a provider over a slow line.
const FetchTimeout = 60 * time.Second

var _ conversation.Files = (*Client)(nil)

// Fetch takes a customer's file from its provider into the store of channels.
func (c *Client) Fetch(ctx context.Context, integration conversation.IntegrationID, m conversation.Media) (conversation.StoredMedia, error) {
	if err := peer.Present(c.conn); err != nil {
		return conversation.StoredMedia{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, FetchTimeout)
	defer cancel()
	r, err := c.channels.FetchMedia(ctx, &channelsv1.FetchMediaRequest{
		IntegrationId: string(integration),
		Media: &conversationv1.Media{
			Id: m.ID, MimeType: m.MIMEType, Sha256: m.SHA256, Filename: m.Filename, SizeBytes: m.SizeBytes,
		},
	})
	if err != nil {
		return conversation.StoredMedia{}, peerError(err)
	}
	if r.GetMedia().GetId() == "" {
		return conversation.StoredMedia{}, &conversation.PeerError{Verdict: conversation.Retry, Reason: "MEDIA_MISSING"}
	}
	return conversation.StoredMedia{ID: conversation.MediaID(r.GetMedia().GetId()), SizeBytes: r.GetMedia().GetSizeBytes()}, nil
}

// Read returns a stored file, piece by piece. The stream ends with the reader.
func (c *Client) Read(ctx context.Context, id conversation.MediaID) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := peer.Present(c.conn); err != nil {
			yield(nil, err)
			return
		}
		ctx, cancel := context.WithTimeout(ctx, FetchTimeout)
		defer cancel()
		stream, err := c.channels.GetMedia(ctx, &channelsv1.GetMediaRequest{Id: string(id)})
		for err == nil {
			var r *channelsv1.GetMediaResponse
			if r, err = stream.Recv(); err == nil && len(r.GetChunk()) > 0 && !yield(r.GetChunk(), nil) {
				return
			}
		}
		if !errors.Is(err, io.EOF) {
			yield(nil, peerError(err))
		}
	}
}
