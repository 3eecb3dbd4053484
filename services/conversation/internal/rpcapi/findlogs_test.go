package rpcapi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	"github.com/knobot/knobot/platform/fault"
)

func TestWebhookLogsAreFoundOverTheWire(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.post(b.text("573001234567", "hola"))
	voice := b.text("573001234567", "")
	voice.IntegrationId, voice.Kind = "wa-2", "voice"
	want := b.post(voice).GetWebhookLogId()
	hour := func(n time.Duration) *timestamppb.Timestamp { return timestamppb.New(time.Now().Add(n * time.Hour)) }
	for _, r := range []*conversationv1.ListWebhookLogsRequest{
		{IntegrationId: "wa-2"}, {EventType: "voice"}, {IntegrationId: "wa-2", Outcome: "open", StartTime: hour(-1), EndTime: hour(1)},
	} {
		list, err := b.logs.ListWebhookLogs(t.Context(), r)
		require.NoError(t, err)
		require.Len(t, list.GetWebhookLogs(), 1, r)
		require.Equal(t, want, list.GetWebhookLogs()[0].GetId())
	}
	page, err := b.logs.ListWebhookLogs(t.Context(), &conversationv1.ListWebhookLogsRequest{Outcome: "open", PageSize: 1})
	require.NoError(t, err)
	_, err = b.logs.ListWebhookLogs(t.Context(), &conversationv1.ListWebhookLogsRequest{Outcome: "dead", PageToken: page.GetNextPageToken()})
	refused(t, err, fault.Invalid, "PAGE_TOKEN_INVALID")
	_, err = b.logs.ListWebhookLogs(t.Context(), &conversationv1.ListWebhookLogsRequest{Outcome: "lost"})
	refused(t, err, fault.Invalid, "OUTCOME_INVALID")
	for _, r := range []*conversationv1.CountWebhookLogsRequest{
		{StartTime: hour(1), EndTime: hour(-1)}, {StartTime: &timestamppb.Timestamp{Seconds: 1 << 60}},
	} {
		_, err = b.logs.CountWebhookLogs(t.Context(), r)
		refused(t, err, fault.Invalid, "TIME_RANGE_INVALID")
		_, err = b.logs.ListWebhookLogs(t.Context(), &conversationv1.ListWebhookLogsRequest{StartTime: r.GetStartTime(), EndTime: r.GetEndTime()})
		refused(t, err, fault.Invalid, "TIME_RANGE_INVALID")
	}
	counts, err := b.logs.CountWebhookLogs(t.Context(), &conversationv1.CountWebhookLogsRequest{StartTime: hour(-1)})
	require.NoError(t, err)
	require.EqualValues(t, 2, counts.GetCounts()[0].GetTotal())
	require.Len(t, counts.GetOutcomes(), 2)
	require.Equal(t, "open", counts.GetOutcomes()[0].GetOutcome())
	all, err := b.logs.CountWebhookLogs(t.Context(), &conversationv1.CountWebhookLogsRequest{})
	require.NoError(t, err)
	require.Empty(t, all.GetOutcomes())
}
