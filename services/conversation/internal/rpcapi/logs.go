package rpcapi

import (
	"context"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
)

// LogStore finds deliveries.
type LogStore interface {
	Log(ctx context.Context, id conversation.LogID) (conversation.WebhookLog, error)
	Logs(ctx context.Context, f conversation.LogFilter) ([]conversation.WebhookLog, error)
	CountLogs(ctx context.Context, r conversation.TimeRange) ([]conversation.PlatformCount, error)
	CountOutcomes(ctx context.Context, r conversation.TimeRange) ([]conversation.OutcomeCount, error)
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
	filter, err := logFilter(r)
	if err != nil {
		return nil, err
	}
	l := list("webhook_logs", filter)
	n, after, err := page(l, r.GetPageSize(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	filter.Limit, filter.After = n+1, after
	logs, err := s.store.Logs(ctx, filter)
	if err != nil {
		return nil, problem(err)
	}
	logs, more := next(l, logs, n, func(l conversation.WebhookLog) conversation.Cursor {
		return conversation.Cursor{Time: l.CreateTime, ID: string(l.ID)}
	})
	return &conversationv1.ListWebhookLogsResponse{WebhookLogs: each(logs, logOf), NextPageToken: more}, nil
}

// CountWebhookLogs counts deliveries by platform, and what became of their events.
func (s *Logs) CountWebhookLogs(ctx context.Context, r *conversationv1.CountWebhookLogsRequest) (*conversationv1.CountWebhookLogsResponse, error) {
	within, err := timeRange(r)
	if err != nil {
		return nil, err
	}
	counts, err := s.store.CountLogs(ctx, within)
	if err != nil {
		return nil, problem(err)
	}
	out := &conversationv1.CountWebhookLogsResponse{Counts: each(counts, countOf)}
	if within.From.IsZero() { // all events there ever were take too long to count
		return out, nil
	}
	outcomes, err := s.store.CountOutcomes(ctx, within)
	out.Outcomes = each(outcomes, outcomeOf)
	return out, problem(err)
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

// logFilter reads what deliveries are asked for.
func logFilter(r *conversationv1.ListWebhookLogsRequest) (f conversation.LogFilter, err error) {
	f.Platform, _ = platform(r.GetPlatform()) // unspecified is all
	f.Integration, f.EventType = conversation.IntegrationID(label(r.GetIntegrationId())), label(r.GetEventType())
	f.Outcome = conversation.Outcome(r.GetOutcome())
	if r.GetDeadOnly() {
		f.Outcome = conversation.OutcomeDead
	}
	if f.Outcome != "" && !slices.Contains(conversation.Outcomes(), f.Outcome) {
		return f, fault.Newf(fault.Invalid, "OUTCOME_INVALID", "outcome is one of %v", conversation.Outcomes())
	}
	f.Range, err = timeRange(r)
	return f, err
}

// ranged is a request with a range of time.
type ranged interface {
	GetStartTime() *timestamppb.Timestamp
	GetEndTime() *timestamppb.Timestamp
}

// timeRange reads start_time and end_time.
func timeRange(r ranged) (t conversation.TimeRange, err error) {
	if t.From, err = bound(r.GetStartTime()); err != nil {
		return t, err
	}
	if t.Until, err = bound(r.GetEndTime()); err != nil {
		return t, err
	}
	if !t.Until.IsZero() && !t.From.Before(t.Until) {
		return t, fault.New(fault.Invalid, "TIME_RANGE_INVALID", "start_time must be before end_time")
	}
	return t, nil
}

// bound reads an end of a range, zero where none is given.
func bound(t *timestamppb.Timestamp) (time.Time, error) {
	if t == nil {
		return time.Time{}, nil
	}
	if t.CheckValid() != nil {
		return time.Time{}, fault.New(fault.Invalid, "TIME_RANGE_INVALID", "start_time and end_time are between the years 1 and 9999")
	}
	return t.AsTime(), nil
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

func outcomeOf(c conversation.OutcomeCount) *conversationv1.CountWebhookLogsResponse_OutcomeCount {
	return &conversationv1.CountWebhookLogsResponse_OutcomeCount{
		Platform: platformOf(c.Platform), IntegrationId: string(c.Integration), Outcome: string(c.Outcome), Total: c.Total,
	}
}

func optionalTime(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
