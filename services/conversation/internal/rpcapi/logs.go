package rpcapi

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/services/conversation"
)

// LogStore finds deliveries.
type LogStore interface {
	Log(ctx context.Context, id conversation.LogID) (conversation.WebhookLog, error)
	Logs(ctx context.Context, f conversation.LogFilter) ([]conversation.WebhookLog, error)
	CountLogs(ctx context.Context) ([]conversation.PlatformCount, error)
	Replay(ctx context.Context, id conversation.LogID) (int32, error)
}

// Logs serves WebhookLogService.
type Logs struct {
	conversationv1.UnimplementedWebhookLogServiceServer
	store LogStore
	wake  func()
}

// NewLogs returns the service. wake tells the workers of this process that a replay opened turns.
func NewLogs(store LogStore, wake func()) *Logs { return &Logs{store: store, wake: wake} }

// GetWebhookLog returns one delivery with its payload and events.
func (s *Logs) GetWebhookLog(ctx context.Context, r *conversationv1.GetWebhookLogRequest) (*conversationv1.GetWebhookLogResponse, error) {
	log, err := id[conversation.LogID](r.GetId())
	if err != nil {
		return nil, err
	}
	l, err := s.store.Log(ctx, log)
	if err != nil {
		return nil, problem(err)
	}
	return &conversationv1.GetWebhookLogResponse{WebhookLog: logOf(l)}, nil
}

// ListWebhookLogs lists deliveries, newest first.
func (s *Logs) ListWebhookLogs(ctx context.Context, r *conversationv1.ListWebhookLogsRequest) (*conversationv1.ListWebhookLogsResponse, error) {
	l := list("webhook_logs", r.GetPlatform(), r.GetDeadOnly())
	n, after, err := page(l, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	filter := conversation.LogFilter{DeadOnly: r.GetDeadOnly(), Limit: n + 1, After: after}
	filter.Platform, _ = platform(r.GetPlatform()) // unspecified is all
	logs, err := s.store.Logs(ctx, filter)
	if err != nil {
		return nil, problem(err)
	}
	logs, more := next(l, logs, n, func(l conversation.WebhookLog) conversation.Cursor {
		return conversation.Cursor{Time: l.CreateTime, ID: string(l.ID)}
	})
	return &conversationv1.ListWebhookLogsResponse{WebhookLogs: each(logs, logOf), NextPageToken: more}, nil
}

// CountWebhookLogs counts deliveries by platform.
func (s *Logs) CountWebhookLogs(ctx context.Context, _ *conversationv1.CountWebhookLogsRequest) (*conversationv1.CountWebhookLogsResponse, error) {
	counts, err := s.store.CountLogs(ctx)
	if err != nil {
		return nil, problem(err)
	}
	return &conversationv1.CountWebhookLogsResponse{Counts: each(counts, countOf)}, nil
}

// ReplayWebhookLog opens the dead events of a delivery again.
func (s *Logs) ReplayWebhookLog(ctx context.Context, r *conversationv1.ReplayWebhookLogRequest) (*conversationv1.ReplayWebhookLogResponse, error) {
	log, err := id[conversation.LogID](r.GetId())
	if err != nil {
		return nil, err
	}
	n, err := s.store.Replay(ctx, log)
	if err != nil {
		return nil, problem(err)
	}
	s.wake()
	return &conversationv1.ReplayWebhookLogResponse{ReopenedEvents: n}, nil
}

func logOf(l conversation.WebhookLog) *conversationv1.WebhookLog {
	return &conversationv1.WebhookLog{
		Id: string(l.ID), Platform: platformOf(l.Platform), EventType: l.EventType, ResponseStatus: l.ResponseStatus,
		Response: l.Response, ErrorMessage: l.ErrorMessage, CreateTime: timestamppb.New(l.CreateTime),
		ProcessedTime: optionalTime(l.ProcessedTime), DuplicateOf: string(l.DuplicateOf), Payload: l.Payload,
		Events: each(l.Events, eventOf), RemoteAddress: l.RemoteAddress,
	}
}

func eventOf(e conversation.LoggedEvent) *conversationv1.WebhookEvent {
	return &conversationv1.WebhookEvent{
		Ordinal: e.Ordinal, IntegrationId: string(e.Integration), Kind: e.Kind, MessageId: string(e.Message),
		Outcome: string(e.Outcome), Error: e.Error, Response: e.Response, ProcessedTime: optionalTime(e.ProcessedTime),
	}
}

func countOf(c conversation.PlatformCount) *conversationv1.CountWebhookLogsResponse_PlatformCount {
	return &conversationv1.CountWebhookLogsResponse_PlatformCount{
		Platform: platformOf(c.Platform), Total: c.Total, Rejected: c.Rejected,
	}
}

func optionalTime(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
