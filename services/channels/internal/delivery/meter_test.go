package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels"
)

func TestWhatBecomesOfMessagesIsMeasuredByClass(t *testing.T) {
	t.Parallel()
	b := setup(t, channels.WhatsApp)
	send := func(request string, change func(expires *time.Time)) error {
		m := b.message("hola")
		m.RequestID = request
		change(&m.WindowExpireTime)
		_, err := b.delivery.Send(t.Context(), m)
		return err
	}
	open := func(*time.Time) {}
	require.NoError(t, send("sent", open))
	require.Error(t, send("late", func(expires *time.Time) { *expires = time.Now().Add(-time.Second) }))
	require.NoError(t, send("sent", func(expires *time.Time) { *expires = time.Now().Add(-time.Second) }), "a repeat meets no window")
	b.Provider.Fail(&channels.SendError{Class: channels.ClassWindowClosed, Code: 131047, Message: "Re-engagement message"})
	require.Error(t, send("refused", open))
	_, err := b.delivery.RecordReports(t.Context(), b.integration.ID, []channels.Report{
		{MessageID: "message-1", State: channels.DeliveryFailed, ErrorCode: 131047},
	})
	require.NoError(t, err)

	require.NoError(t, testutil.GatherAndCompare(b.metrics, strings.NewReader(`
# HELP knobot_channels_late_failures_total Messages that a provider took and reported as failed later, by class.
# TYPE knobot_channels_late_failures_total counter
knobot_channels_late_failures_total{class="window_closed",platform="whatsapp"} 1
# HELP knobot_channels_sends_total Messages handed to a provider, by what came of it.
# TYPE knobot_channels_sends_total counter
knobot_channels_sends_total{outcome="sent",platform="whatsapp"} 1
knobot_channels_sends_total{outcome="window_closed",platform="whatsapp"} 1
# HELP knobot_channels_windows_closed_total Messages that met a closed 24-hour window, by who said so: clock (not sent at all), provider, report.
# TYPE knobot_channels_windows_closed_total counter
knobot_channels_windows_closed_total{by="clock"} 1
knobot_channels_windows_closed_total{by="provider"} 1
knobot_channels_windows_closed_total{by="report"} 1
`), "knobot_channels_late_failures_total", "knobot_channels_sends_total", "knobot_channels_windows_closed_total"))
	require.Equal(t, 1, testutil.CollectAndCount(b.metrics, "knobot_channels_send_seconds"))
}
