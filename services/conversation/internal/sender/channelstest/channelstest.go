// Package channelstest stands in for channels in tests: a real gRPC server that sends nowhere, and fails as a test decides.
package channelstest

import (
	"context"
	"sync"
	"testing"

	"google.golang.org/grpc"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/services/conversation/internal/peer/peertest"
)

// Server sends nowhere, and keeps what it was asked to send. The same request id again is not sent again, as in the real one.
type Server struct {
	channelsv1.UnimplementedChannelServiceServer
	channelsv1.UnimplementedIntegrationServiceServer
	Conn *grpc.ClientConn
	// Seen gets the name of each call that is no send, as far as there is room.
	Seen chan string

	mu        sync.Mutex
	send      func(context.Context, *channelsv1.SendMessageRequest) error
	report    func(*channelsv1.RecordDeliveryReportsRequest) (*channelsv1.RecordDeliveryReportsResponse, error)
	sent      []*channelsv1.SendMessageRequest
	byRequest map[string]bool
	calls     int
	templates []*channelsv1.SendTemplateRequest
	drafts    []*channelsv1.SendDraftRequest
	draft     func(context.Context, *channelsv1.SendDraftRequest) error
	reads     []*channelsv1.MarkMessageReadRequest
	presses   []*channelsv1.AnswerButtonPressRequest
	reports   []*conversationv1.DeliveryReport
	news      []*channelsv1.WatchIntegrationsResponse
	changed   chan struct{}
	broken    chan struct{}
	files     files
	forget    func(*channelsv1.ForgetRequest) error
	forgotten []*channelsv1.ForgetRequest
}

// New starts one that sends everything.
func New(t testing.TB) *Server {
	t.Helper()
	c := &Server{
		Seen: make(chan string, 1024), byRequest: map[string]bool{}, changed: make(chan struct{}), broken: make(chan struct{}),
		send: func(context.Context, *channelsv1.SendMessageRequest) error { return nil },
	}
	c.Conn = peertest.Serve(t, func(s *grpc.Server) {
		channelsv1.RegisterChannelServiceServer(s, c)
		channelsv1.RegisterIntegrationServiceServer(s, c)
	})
	return c
}

// OnSend is asked before each send; an error is what the caller gets.
func (c *Server) OnSend(f func(context.Context, *channelsv1.SendMessageRequest) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.send = f
}

// OnDraft is asked for each draft; an error is what the caller gets.
func (c *Server) OnDraft(f func(context.Context, *channelsv1.SendDraftRequest) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draft = f
}

// Drafts returns the drafts in the order in which they came, those that failed too.
func (c *Server) Drafts() []*channelsv1.SendDraftRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*channelsv1.SendDraftRequest(nil), c.drafts...)
}

// OnReport changes what delivery reports get.
func (c *Server) OnReport(f func(*channelsv1.RecordDeliveryReportsRequest) (*channelsv1.RecordDeliveryReportsResponse, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report = f
}

// Sent returns what went out, once each.
func (c *Server) Sent() []*channelsv1.SendMessageRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*channelsv1.SendMessageRequest(nil), c.sent...)
}

// Texts returns the texts of what went out.
func (c *Server) Texts() []string {
	var out []string
	for _, s := range c.Sent() {
		out = append(out, s.GetContent().GetText())
	}
	return out
}

// Calls returns how often SendMessage was called.
func (c *Server) Calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls
}

// Templates returns the templates that went out.
func (c *Server) Templates() []*channelsv1.SendTemplateRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*channelsv1.SendTemplateRequest(nil), c.templates...)
}

// Reads returns what was marked as read.
func (c *Server) Reads() []*channelsv1.MarkMessageReadRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*channelsv1.MarkMessageReadRequest(nil), c.reads...)
}

// Reports returns the delivery reports in the order in which they came.
func (c *Server) Reports() []*conversationv1.DeliveryReport {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*conversationv1.DeliveryReport(nil), c.reports...)
}

// SendMessage implements the service.
func (c *Server) SendMessage(ctx context.Context, r *channelsv1.SendMessageRequest) (*channelsv1.SendMessageResponse, error) {
	c.mu.Lock()
	c.calls++
	send, done := c.send, c.byRequest[r.GetRequestId()]
	c.mu.Unlock()
	if !done {
		if err := send(ctx, r); err != nil {
			return nil, err
		}
		c.mu.Lock()
		c.byRequest[r.GetRequestId()] = true
		c.sent = append(c.sent, r)
		c.mu.Unlock()
	}
	return &channelsv1.SendMessageResponse{Delivery: delivery(r.GetRequestId())}, nil
}

func delivery(request string) *channelsv1.Delivery {
	return &channelsv1.Delivery{
		RequestId: request, State: conversationv1.DeliveryState_DELIVERY_STATE_SENT,
		Parts: []*channelsv1.DeliveryPart{{MessageId: "wamid." + request}, {MessageId: "wamid." + request + ".2"}},
	}
}

// SendTemplate implements the service.
func (c *Server) SendTemplate(_ context.Context, r *channelsv1.SendTemplateRequest) (*channelsv1.SendTemplateResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.templates = append(c.templates, r)
	return &channelsv1.SendTemplateResponse{Delivery: delivery(r.GetRequestId())}, nil
}

func (c *Server) note(call string) {
	select {
	case c.Seen <- call:
	default:
	}
}

// SendTypingIndicator implements the service.
func (c *Server) SendTypingIndicator(context.Context, *channelsv1.SendTypingIndicatorRequest) (*channelsv1.SendTypingIndicatorResponse, error) {
	c.note("typing")
	return &channelsv1.SendTypingIndicatorResponse{}, nil
}

// SendDraft implements the service.
func (c *Server) SendDraft(ctx context.Context, r *channelsv1.SendDraftRequest) (*channelsv1.SendDraftResponse, error) {
	c.mu.Lock()
	c.drafts = append(c.drafts, r)
	draft := c.draft
	c.mu.Unlock()
	c.note("draft")
	if draft != nil {
		if err := draft(ctx, r); err != nil {
			return nil, err
		}
	}
	return &channelsv1.SendDraftResponse{}, nil
}

// MarkMessageRead implements the service.
func (c *Server) MarkMessageRead(_ context.Context, r *channelsv1.MarkMessageReadRequest) (*channelsv1.MarkMessageReadResponse, error) {
	c.mu.Lock()
	c.reads = append(c.reads, r)
	c.mu.Unlock()
	c.note("read")
	return &channelsv1.MarkMessageReadResponse{}, nil
}

// AnswerButtonPress implements the service.
func (c *Server) AnswerButtonPress(_ context.Context, r *channelsv1.AnswerButtonPressRequest) (*channelsv1.AnswerButtonPressResponse, error) {
	c.mu.Lock()
	c.presses = append(c.presses, r)
	c.mu.Unlock()
	c.note("press")
	return &channelsv1.AnswerButtonPressResponse{}, nil
}

// RecordDeliveryReports implements the service: without OnReport, every message is unknown.
func (c *Server) RecordDeliveryReports(_ context.Context, r *channelsv1.RecordDeliveryReportsRequest) (*channelsv1.RecordDeliveryReportsResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	answer := &channelsv1.RecordDeliveryReportsResponse{}
	for range r.GetReports() {
		answer.Outcomes = append(answer.Outcomes, &channelsv1.RecordDeliveryReportsResponse_Outcome{})
	}
	if c.report != nil {
		var err error
		if answer, err = c.report(r); err != nil {
			return nil, err
		}
	}
	c.reports = append(c.reports, r.GetReports()...)
	return answer, nil
}
