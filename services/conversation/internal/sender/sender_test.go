package sender_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/sender"
	"github.com/knobot/knobot/services/conversation/internal/sender/channelstest"
)

func answer() conversation.Answer {
	return conversation.Answer{Request: "r1", Purpose: conversation.Reply, Text: "**hola**", ReplyTo: "5"}
}

func TestSendCarriesEverythingThatChannelsNeeds(t *testing.T) {
	t.Parallel()
	channels := channelstest.New(t)
	window := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	sent, err := sender.New(channels.Conn).Send(t.Context(), conversation.Turn{
		Integration: "tg-1", WindowExpires: window,
		Address: conversation.Address{Chat: &conversation.Chat{ID: -7, ThreadID: 3, BusinessConnectionID: "bc"}},
	}, answer())
	require.NoError(t, err)
	require.Equal(t, conversation.Sent{PlatformMessageID: "wamid.r1", Parts: []string{"wamid.r1.2"}, State: conversation.DeliverySent}, sent)
	r := channels.Sent()[0]
	require.Equal(t, "r1", r.GetRequestId())
	require.Equal(t, "**hola**", r.GetContent().GetText())
	require.Equal(t, "5", r.GetReplyToMessageId())
	require.Equal(t, window, r.GetServiceWindowExpireTime().AsTime())
	require.Equal(t, "tg-1", r.GetAddress().GetIntegrationId())
	require.EqualValues(t, -7, r.GetAddress().GetChat().GetId())
	require.EqualValues(t, 3, r.GetAddress().GetChat().GetMessageThreadId())
	require.Equal(t, "bc", r.GetAddress().GetChat().GetBusinessConnectionId())
}

func TestEachErrorOfChannelsHasItsVerdict(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err     error
		verdict conversation.Verdict
		retry   time.Duration
	}{
		"throttled":    {fault.New(fault.Throttled, "THROTTLED", "x").WithRetryAfter(7 * time.Second), conversation.Wait, 7 * time.Second},
		"in flight":    {fault.New(fault.InFlight, "IN_FLIGHT", "x").WithRetryAfter(time.Second), conversation.Wait, time.Second},
		"in doubt":     {fault.New(fault.InFlight, "DELIVERY_IN_DOUBT", "x").WithRetryAfter(time.Minute), conversation.Wait, time.Minute},
		"window":       {fault.New(fault.Precondition, "WHATSAPP_WINDOW_CLOSED", "x"), conversation.WindowClosed, 0},
		"disabled":     {fault.New(fault.Precondition, "INTEGRATION_DISABLED", "x"), conversation.Wait, 10 * time.Second},
		"stopped":      {fault.New(fault.Precondition, "INTEGRATION_STOPPED", "x"), conversation.Wait, 10 * time.Second},
		"incomplete":   {fault.New(fault.Precondition, "INTEGRATION_INCOMPLETE", "x"), conversation.Wait, 10 * time.Second},
		"unreachable":  {fault.New(fault.Precondition, "RECIPIENT_UNREACHABLE", "x"), conversation.Unreachable, 0},
		"unknown":      {fault.New(fault.Precondition, "OUTCOME_UNKNOWN", "x"), conversation.Unreachable, 0},
		"blocked":      {fault.New(fault.Precondition, "BOT_BLOCKED", "x"), conversation.Unreachable, 0},
		"precondition": {fault.New(fault.Precondition, "SOMETHING_NEW", "x"), conversation.Refused, 0},
		"invalid":      {fault.New(fault.Invalid, "TEXT_INVALID", "x"), conversation.Refused, 0},
		"not found":    {fault.New(fault.NotFound, "INTEGRATION_NOT_FOUND", "x"), conversation.Refused, 0},
		"unavailable":  {fault.New(fault.Unavailable, "PROVIDER_FAILED", "x"), conversation.Retry, 0},
		"internal":     {fault.New(fault.Internal, "X", "x"), conversation.Retry, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			channels := channelstest.New(t)
			channels.OnSend(func(context.Context, *channelsv1.SendMessageRequest) error { return c.err })
			_, err := sender.New(channels.Conn).Send(t.Context(), conversation.Turn{}, answer())
			var p *conversation.PeerError
			require.ErrorAs(t, err, &p)
			require.Equal(t, c.verdict, p.Verdict)
			require.Equal(t, c.retry, p.RetryAfter)
			require.NotEmpty(t, p.Reason)
		})
	}
}

func TestInvitationIsATemplate(t *testing.T) {
	t.Parallel()
	channels := channelstest.New(t)
	a := conversation.Answer{Request: "r1", Purpose: conversation.Invitation, Text: "volver", Template: "volver", Language: "es_MX"}
	_, err := sender.New(channels.Conn).Send(t.Context(), conversation.Turn{Integration: "wa-1", Address: conversation.Address{UserID: "CO.ana"}}, a)
	require.NoError(t, err)
	r := channels.Templates()[0]
	require.Equal(t, "volver", r.GetTemplate())
	require.Equal(t, "es_MX", r.GetLanguage())
	require.Equal(t, "CO.ana", r.GetAddress().GetUser().GetUserId())
	require.Empty(t, channels.Sent())
}

func TestMissingOutcomesAreAFailure(t *testing.T) {
	t.Parallel()
	channels := channelstest.New(t)
	channels.OnReport(func(*channelsv1.RecordDeliveryReportsRequest) (*channelsv1.RecordDeliveryReportsResponse, error) {
		return &channelsv1.RecordDeliveryReportsResponse{}, nil
	})
	_, err := sender.New(channels.Conn).Report(t.Context(), "wa-1", make([]conversation.QueuedReport, 1))
	var p *conversation.PeerError
	require.ErrorAs(t, err, &p)
	require.Equal(t, "OUTCOMES_MISSING", p.Reason)
}

func TestDraftGoesToItsChat(t *testing.T) {
	t.Parallel()
	channels := channelstest.New(t)
	to := conversation.Address{Chat: &conversation.Chat{ID: 7, ThreadID: 3}}
	require.NoError(t, sender.New(channels.Conn).ShowDraft(t.Context(), to, "tg-1", 9, "**ho"))
	r := channels.Drafts()[0]
	require.Equal(t, "tg-1", r.GetAddress().GetIntegrationId())
	require.EqualValues(t, 7, r.GetAddress().GetChat().GetId())
	require.EqualValues(t, 3, r.GetAddress().GetChat().GetMessageThreadId())
	require.EqualValues(t, 9, r.GetDraftId())
	require.Equal(t, "**ho", r.GetText())
}
