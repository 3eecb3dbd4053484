// Package sender is the client of channels: everything that goes out to customers, and what providers say of it.
package sender

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/peer"
)

const (
	// sendTimeout covers an answer of several parts under a provider's pacing.
	sendTimeout = 60 * time.Second
	// pausedPause is how soon to look again at an integration that was switched off meanwhile.
	pausedPause = 10 * time.Second
)

// Client sends through channels. It implements conversation.Courier.
type Client struct {
	conn     *grpc.ClientConn
	channels channelsv1.ChannelServiceClient
}

var _ conversation.Courier = (*Client)(nil)

// New returns a client over a connection.
func New(conn *grpc.ClientConn) *Client {
	return &Client{conn: conn, channels: channelsv1.NewChannelServiceClient(conn)}
}

// Send delivers an answer.
func (c *Client) Send(ctx context.Context, t conversation.Turn, a conversation.Answer) (conversation.Sent, error) {
	if err := peer.Present(c.conn); err != nil {
		return conversation.Sent{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	delivery, err := c.send(ctx, t, a)
	if err != nil {
		return conversation.Sent{}, peerError(err)
	}
	sent := conversation.Sent{
		State: conversation.DeliveryState(delivery.GetState()), MaybeDuplicate: delivery.GetMaybeDuplicate(),
	}
	if parts := delivery.GetParts(); len(parts) > 0 {
		sent.PlatformMessageID = parts[0].GetMessageId()
		for _, p := range parts[1:] {
			sent.Parts = append(sent.Parts, p.GetMessageId())
		}
	}
	return sent, nil
}

func (c *Client) send(ctx context.Context, t conversation.Turn, a conversation.Answer) (*channelsv1.Delivery, error) {
	to := address(t.Integration, t.Address)
	if a.Purpose == conversation.Invitation {
		r, err := c.channels.SendTemplate(ctx, &channelsv1.SendTemplateRequest{
			RequestId: string(a.Request), Address: to, Template: a.Template, Language: a.Language,
		})
		return r.GetDelivery(), err
	}
	request := &channelsv1.SendMessageRequest{
		RequestId: string(a.Request), Address: to, Content: &channelsv1.Content{Text: a.Text, ButtonRows: buttons(a)}, ReplyToMessageId: a.ReplyTo,
	}
	if !t.WindowExpires.IsZero() {
		request.ServiceWindowExpireTime = timestamppb.New(t.WindowExpires)
	}
	r, err := c.channels.SendMessage(ctx, request)
	return r.GetDelivery(), err
}

// buttons puts each into a row of its own: questions are long.
func buttons(a conversation.Answer) []*channelsv1.ButtonRow {
	var out []*channelsv1.ButtonRow
	for i, b := range a.Buttons {
		out = append(out, &channelsv1.ButtonRow{Buttons: []*channelsv1.Button{{Id: conversation.ButtonID(a.ID, i), Title: b.Title}}})
	}
	return out
}

// ShowTyping shows that an answer is being written.
func (c *Client) ShowTyping(ctx context.Context, a conversation.Address, integration conversation.IntegrationID, message string) error {
	_, err := c.channels.SendTypingIndicator(ctx, &channelsv1.SendTypingIndicatorRequest{
		Address: address(integration, a), MessageId: message,
	})
	return err
}

// ShowDraft shows an answer as far as it is written.
func (c *Client) ShowDraft(ctx context.Context, a conversation.Address, integration conversation.IntegrationID, draft int64, text string) error {
	_, err := c.channels.SendDraft(ctx, &channelsv1.SendDraftRequest{Address: address(integration, a), DraftId: draft, Text: text})
	return err
}

// MarkRead shows that a message was read and, if asked, that an answer is being written.
func (c *Client) MarkRead(ctx context.Context, integration conversation.IntegrationID, a conversation.Address, message string, typing bool) error {
	_, err := c.channels.MarkMessageRead(ctx, &channelsv1.MarkMessageReadRequest{
		Address: address(integration, a), MessageId: message, Typing: typing,
	})
	return err
}

// AnswerPress ends the waiting state of a button.
func (c *Client) AnswerPress(ctx context.Context, integration conversation.IntegrationID, callback string) error {
	_, err := c.channels.AnswerButtonPress(ctx, &channelsv1.AnswerButtonPressRequest{
		IntegrationId: string(integration), CallbackId: callback,
	})
	return err
}

// Report hands delivery reports on, in their order, and returns what each was about. Returns a *PeerError: Refused for what
// channels will never take.
func (c *Client) Report(ctx context.Context, integration conversation.IntegrationID, reports []conversation.QueuedReport) ([]conversation.ReportOutcome, error) {
	request := &channelsv1.RecordDeliveryReportsRequest{IntegrationId: string(integration)}
	for _, r := range reports {
		request.Reports = append(request.Reports, &conversationv1.DeliveryReport{
			MessageId: r.MessageID, State: conversationv1.DeliveryState(r.State), Echo: r.Echo, ErrorCode: r.ErrorCode,
			ErrorMessage: r.ErrorMessage, PricingCategory: r.PricingCategory, Billable: r.Billable,
			PricingModel: r.PricingModel, PricingType: r.PricingType,
		})
	}
	r, err := c.channels.RecordDeliveryReports(ctx, request)
	if err != nil {
		return nil, peerError(err)
	}
	if len(r.GetOutcomes()) != len(reports) {
		return nil, &conversation.PeerError{Verdict: conversation.Retry, Reason: "OUTCOMES_MISSING"}
	}
	out := make([]conversation.ReportOutcome, 0, len(reports))
	for _, o := range r.GetOutcomes() {
		out = append(out, conversation.ReportOutcome{
			Request: conversation.RequestID(o.GetRequestId()), State: conversation.DeliveryState(o.GetState()),
			WindowClosed: o.GetWindowClosed(), RetryAfter: o.GetRetryAfter().AsDuration(),
		})
	}
	return out, nil
}

func address(integration conversation.IntegrationID, a conversation.Address) *typev1.Address {
	out := &typev1.Address{IntegrationId: string(integration)}
	if a.Chat == nil {
		out.Recipient = &typev1.Address_User{User: &typev1.WhatsAppUser{UserId: a.UserID, PhoneNumber: a.PhoneNumber}}
		return out
	}
	out.Recipient = &typev1.Address_Chat{Chat: &typev1.TelegramChat{
		Id: a.Chat.ID, MessageThreadId: a.Chat.ThreadID, BusinessConnectionId: a.Chat.BusinessConnectionID,
	}}
	return out
}

// peerError gives each error of channels its meaning for a turn, as ChannelService's contract says.
func peerError(err error) *conversation.PeerError {
	e := peer.Error(err)
	switch fault.KindOf(err) {
	case fault.Precondition:
		e.Verdict, e.RetryAfter = precondition(e)
	case fault.NotFound:
		e.Verdict = conversation.Refused
	}
	return e
}

func precondition(e *conversation.PeerError) (conversation.Verdict, time.Duration) {
	switch e.Reason {
	case "WHATSAPP_WINDOW_CLOSED":
		return conversation.WindowClosed, 0
	case "INTEGRATION_DISABLED", "INTEGRATION_STOPPED", "INTEGRATION_INCOMPLETE":
		return conversation.Wait, max(e.RetryAfter, pausedPause)
	case "RECIPIENT_UNREACHABLE", "BOT_BLOCKED", conversation.ReasonOutcomeUnknown:
		return conversation.Unreachable, 0
	default:
		return conversation.Refused, 0
	}
}
