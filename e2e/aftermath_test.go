package e2e

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"
	typev1 "github.com/knobot/knobot/gen/knobot/type/v1"
)

// rejectionsAreCounted holds the totals against what was refused, and the rows against their bound.
func (b *badInput) rejectionsAreCounted(t *testing.T) {
	t.Helper()
	logs := conversationv1.NewWebhookLogServiceClient(b.Conn(b.Conversation))
	rejected := func() map[typev1.Platform]int64 {
		counts, err := logs.CountWebhookLogs(t.Context(), &conversationv1.CountWebhookLogsRequest{})
		require.NoError(t, err)
		totals := map[typev1.Platform]int64{}
		for _, c := range counts.GetCounts() {
			totals[c.GetPlatform()] = c.GetRejected()
		}
		return totals
	}
	want := map[typev1.Platform]int64{
		typev1.Platform_PLATFORM_WHATSAPP: b.rejectedWhatsApp.Load(), typev1.Platform_PLATFORM_TELEGRAM: b.rejectedTelegram.Load(),
	}
	eventually(t, 10*time.Second, func() bool { return maps.Equal(rejected(), want) }, fmt.Sprintf("%v are counted, want %v", rejected(), want))

	list, err := logs.ListWebhookLogs(t.Context(), &conversationv1.ListWebhookLogsRequest{PageSize: 1000})
	require.NoError(t, err)
	rows := 0
	for _, row := range list.GetWebhookLogs() {
		if row.GetEventType() != "rejected" {
			continue
		}
		rows++
		got, err := logs.GetWebhookLog(t.Context(), &conversationv1.GetWebhookLogRequest{Id: row.GetId()})
		require.NoError(t, err)
		require.Empty(t, got.GetWebhookLog().GetPayload(), "stored without body")
		require.Contains(t, []int32{400, 401, 403, 413}, row.GetResponseStatus())
		require.Equal(t, "127.0.0.1", row.GetRemoteAddress())
	}
	require.Positive(t, rows)
	require.LessOrEqual(t, rows, int(time.Since(b.began).Seconds())+2, "at most one a second, all being from one address")
}

func (b *badInput) nothingDied(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, p := range b.Services() {
		require.NoError(t, p.WaitServing(ctx))
		require.NotContains(t, p.Log().String(), "panic", p.Name)
	}
	require.NoError(t, b.Simulator.Health(ctx))
}

func (b *badInput) nothingLeaked(t *testing.T) {
	t.Helper()
	shown := b.Logs() + b.everyList(t)
	c := b.Credentials
	_, botSecret, _ := strings.Cut(c.BotToken, ":")
	for name, secret := range map[string]string{
		"access token": c.AccessToken, "verify token": c.VerifyToken, "app secret": c.AppSecret, "bot token": botSecret, "secret token": c.SecretToken,
		"other access token": b.other.AccessToken, "other verify token": b.other.VerifyToken, "other app secret": b.other.AppSecret,
		"Weaviate key": stores.Weaviate.APIKey.Reveal(),
	} {
		require.False(t, strings.Contains(shown, secret), "the %s shows", name)
	}
	require.Contains(t, shown, `"msg":"webhook"`, "the logs are those of this system")
	require.False(t, strings.Contains(b.Logs(), canary), "what customers wrote stands in a log")
}

// everyList returns what the lists show to whoever asks, but for the parts of something.
func (b *badInput) everyList(t *testing.T) string {
	t.Helper()
	var shown strings.Builder
	for _, l := range b.lists() {
		switch l.name {
		case "ListMessages", "ListSourcePages", "ListSubscriptionDeliveries": // parts of something, looked at where that is at hand
			continue
		}
		out, err := l.call(t.Context(), nil, 1000, "")
		require.NoError(t, err, l.name)
		shown.WriteString(protojson.Format(out))
	}
	r, err := channelsv1.NewIntegrationServiceClient(b.Conn(b.Channels)).ListIntegrations(t.Context(), &channelsv1.ListIntegrationsRequest{})
	require.NoError(t, err)
	require.Len(t, r.GetIntegrations(), 3)
	return shown.String()
}
