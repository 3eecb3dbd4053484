// Package rpcapi serves the service's use cases over gRPC. It is the only package that knows both the generated types and
// the domain's.
package rpcapi

import (
	"context"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/ingest"
)

// Intake stores webhooks.
type Intake interface {
	Ingest(ctx context.Context, w ingest.Webhook) (conversation.Receipt, error)
}

// Rejections counts refused webhooks.
type Rejections interface {
	Record(r conversation.Rejection)
}

// Ingest serves IngestService.
type Ingest struct {
	conversationv1.UnimplementedIngestServiceServer
	intake     Intake
	rejections Rejections
}

// NewIngest returns the service.
func NewIngest(intake Intake, rejections Rejections) *Ingest {
	return &Ingest{intake: intake, rejections: rejections}
}

// IngestWebhook stores a verified webhook.
func (s *Ingest) IngestWebhook(ctx context.Context, r *conversationv1.IngestWebhookRequest) (*conversationv1.IngestWebhookResponse, error) {
	w, err := webhook(r)
	if err != nil {
		return nil, err
	}
	receipt, err := s.intake.Ingest(ctx, w)
	if err != nil {
		return nil, problem(err)
	}
	return &conversationv1.IngestWebhookResponse{WebhookLogId: string(receipt.Log), Duplicate: receipt.Duplicate}, nil
}

// RecordRejectedWebhook counts a refused webhook.
func (s *Ingest) RecordRejectedWebhook(_ context.Context, r *conversationv1.RecordRejectedWebhookRequest) (*conversationv1.RecordRejectedWebhookResponse, error) {
	rejected, err := rejection(r)
	if err != nil {
		return nil, err
	}
	s.rejections.Record(rejected)
	return &conversationv1.RecordRejectedWebhookResponse{}, nil
}
