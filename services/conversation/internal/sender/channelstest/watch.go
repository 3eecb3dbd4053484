package channelstest

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
)

// Publish adds news to the stream of integrations: the first ones, up to a Synced, are the snapshot.
func (c *Server) Publish(news ...*channelsv1.WatchIntegrationsResponse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.news = append(c.news, news...)
	close(c.changed)
	c.changed = make(chan struct{})
}

// Break ends all streams, and starts the next with this news.
func (c *Server) Break(news ...*channelsv1.WatchIntegrationsResponse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.news = news
	close(c.broken)
	c.broken = make(chan struct{})
}

// WatchIntegrations implements the service.
func (c *Server) WatchIntegrations(_ *channelsv1.WatchIntegrationsRequest, stream grpc.ServerStreamingServer[channelsv1.WatchIntegrationsResponse]) error {
	c.mu.Lock()
	broken := c.broken
	c.mu.Unlock()
	for told := 0; ; {
		c.mu.Lock()
		news, changed := c.news, c.changed
		c.mu.Unlock()
		for ; told < len(news); told++ {
			if err := stream.Send(news[told]); err != nil {
				return err
			}
		}
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-broken:
			return status.Error(codes.Unavailable, "broken off")
		case <-changed:
		}
	}
}

// Integration is news of one.
func Integration(in *channelsv1.Integration) *channelsv1.WatchIntegrationsResponse {
	return &channelsv1.WatchIntegrationsResponse{News: &channelsv1.WatchIntegrationsResponse_Integration{Integration: in}}
}

// Removed is news of one that is gone.
func Removed(id string) *channelsv1.WatchIntegrationsResponse {
	return &channelsv1.WatchIntegrationsResponse{News: &channelsv1.WatchIntegrationsResponse_RemovedIntegrationId{RemovedIntegrationId: id}}
}

// Synced is the end of a snapshot.
func Synced() *channelsv1.WatchIntegrationsResponse {
	return &channelsv1.WatchIntegrationsResponse{News: &channelsv1.WatchIntegrationsResponse_Synced{Synced: &channelsv1.Synced{}}}
}
