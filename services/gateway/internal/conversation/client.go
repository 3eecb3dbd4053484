// Package conversation hands verified webhooks to the conversation service, which stores them.
package conversation

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	gateway "github.com/knobot/knobot/services/gateway"
)

// maxEventBytes bounds the events of one call. With a payload of gateway.MaxBodyBytes it stays below the 16 MiB that a
// gRPC message may have.
const maxEventBytes = 8 << 20

// Client calls the conversation service.
type Client struct {
	ingest conversationv1.IngestServiceClient
}

// New makes a client of the conversation service behind conn.
func New(conn grpc.ClientConnInterface) *Client {
	return &Client{ingest: conversationv1.NewIngestServiceClient(conn)}
}

// Ingest stores a delivery. When it returns nil, the delivery may be acknowledged. Cleaning invalid UTF-8 can make events
// larger than the body that they come from: then they travel in several calls, each with the whole payload, and a repeat
// after a failure in between is recognised event by event.
func (c *Client) Ingest(ctx context.Context, d gateway.Delivery) error {
	events := toProto(d.Events)
	for {
		n := fitting(events)
		_, err := c.ingest.IngestWebhook(ctx, &conversationv1.IngestWebhookRequest{
			Platform:      platform(d.Platform),
			Payload:       d.Payload,
			Events:        events[:n],
			RemoteAddress: d.RemoteAddress,
		})
		if err != nil || n == len(events) {
			return err
		}
		events = events[n:]
	}
}

// fitting says how many of the events go into one call, at least one if there is one.
func fitting(events []*conversationv1.Event) int {
	size := 0
	for i, e := range events {
		size += proto.Size(e)
		if i > 0 && size > maxEventBytes {
			return i
		}
	}
	return len(events)
}

// RecordRejected counts a refused webhook.
func (c *Client) RecordRejected(ctx context.Context, r gateway.Rejection) error {
	_, err := c.ingest.RecordRejectedWebhook(ctx, &conversationv1.RecordRejectedWebhookRequest{
		Platform:      platform(r.Platform),
		RemoteAddress: r.RemoteAddress,
		Reason:        rejectionReason(r.Reason),
	})
	return err
}
