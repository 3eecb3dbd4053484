// Package conversation hands verified webhooks to the conversation service, which stores them.
package conversation

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/platform/fault"
	gateway "github.com/knobot/knobot/services/gateway"
)

// maxEventBytes bounds the events of one call. With a payload of gateway.MaxBodyBytes it stays below the 16 MiB that a
// gRPC message may have.
const maxEventBytes = 8 << 20

// replacing is how long is waited for a replica when none is known to be there: longer than grpc asks for names anew (1 s).
const replacing = 2500 * time.Millisecond

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
		err := c.store(ctx, &conversationv1.IngestWebhookRequest{
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

// store makes a call, and once more where nobody answered it: while replicas are replaced, the last one that is known here may
// be gone before the next one is found. What was stored all the same is then a repeat.
func (c *Client) store(ctx context.Context, r *conversationv1.IngestWebhookRequest) error {
	_, err := c.ingest.IngestWebhook(ctx, r)
	if status.Code(err) != codes.Unavailable || fault.ReasonOf(err) != "" { // a reason is the service's own word
		return err
	}
	again, cancel := context.WithTimeout(ctx, replacing)
	defer cancel()
	_, second := c.ingest.IngestWebhook(again, r, grpc.WaitForReady(true))
	if again.Err() != nil {
		return err // still nobody: unavailable is the truer word than too late
	}
	return second
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
