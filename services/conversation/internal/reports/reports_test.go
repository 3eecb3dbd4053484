package reports_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/integrations"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
	"github.com/knobot/knobot/services/conversation/internal/postgres"
	"github.com/knobot/knobot/services/conversation/internal/reports"
	"github.com/knobot/knobot/services/conversation/internal/sender"
	"github.com/knobot/knobot/services/conversation/internal/sender/channelstest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

const number conversation.IntegrationID = "wa-1"

type bundle struct {
	t        *testing.T
	pool     *pgxpool.Pool
	store    *postgres.Store
	channels *channelstest.Server
	drain    *reports.Drain
	n        int
}

func setup(t *testing.T) *bundle {
	t.Helper()
	pool := pgtest.Database(t, postgres.Schema())
	b := &bundle{
		t: t, pool: pool, channels: channelstest.New(t),
		store: postgres.NewStore(pool, postgres.Settings{IdleAfter: time.Hour, LongestWait: time.Second}),
	}
	b.drain = reports.NewDrain(b.store, sender.New(b.channels.Conn), integrations.NewTable(), metrics.New(prometheus.NewRegistry()),
		noop.NewTracerProvider(), zap.NewNop())
	return b
}

// receive queues reports on messages m0, m1 …
func (b *bundle) receive(n int) {
	b.t.Helper()
	d := conversation.Delivery{Log: conversation.LogID(uuid.NewString()), Platform: conversation.WhatsApp, Payload: fmt.Append(nil, b.n)}
	for i := range n {
		d.Arrivals = append(d.Arrivals, conversation.Arrival{
			Event: conversation.Event{
				Key: fmt.Sprintf("status:%d", b.n), Integration: number, Kind: "status.sent",
				Content: &conversation.DeliveryReport{MessageID: fmt.Sprintf("m%d", b.n), State: conversation.DeliverySent, Echo: "e/0/1"},
			},
			Ordinal: int32(i), Integration: conversation.DefaultIntegration(number, conversation.WhatsApp),
		})
		b.n++
	}
	_, err := b.store.Ingest(b.t.Context(), []conversation.Delivery{d})
	require.NoError(b.t, err)
}

func (b *bundle) count(query string) int {
	b.t.Helper()
	var n int
	require.NoError(b.t, b.pool.QueryRow(context.Background(), "select count(*) from "+query).Scan(&n))
	return n
}

func (b *bundle) reported() []string {
	var out []string
	for _, r := range b.channels.Reports() {
		out = append(out, r.GetMessageId())
	}
	return out
}

// refuse makes channels refuse whatever holds a certain message.
func (b *bundle) refuse(message string, err error) {
	b.channels.OnReport(func(r *channelsv1.RecordDeliveryReportsRequest) (*channelsv1.RecordDeliveryReportsResponse, error) {
		answer := &channelsv1.RecordDeliveryReportsResponse{}
		for _, report := range r.GetReports() {
			if report.GetMessageId() == message {
				return nil, err
			}
			answer.Outcomes = append(answer.Outcomes, &channelsv1.RecordDeliveryReportsResponse_Outcome{})
		}
		return answer, nil
	})
}

func TestDrain(t *testing.T) {
	t.Parallel()

	t.Run("HandsReportsOnInOrder", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(300)
		b.receive(150)
		b.drain.Round(t.Context())
		got := b.reported()
		require.Len(t, got, 450)
		for i, id := range got {
			require.Equal(t, fmt.Sprintf("m%d", i), id)
		}
		require.Zero(t, b.count("delivery_reports"))
		require.Equal(t, 450, b.count("webhook_events where outcome = 'unknown_message'"))
	})

	t.Run("KeepsThemWhileChannelsIsAway", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(3)
		b.channels.OnReport(func(*channelsv1.RecordDeliveryReportsRequest) (*channelsv1.RecordDeliveryReportsResponse, error) {
			return nil, fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "later")
		})
		b.drain.Round(t.Context())
		require.Equal(t, 3, b.count("delivery_reports"))
		require.Equal(t, 1, b.count("report_leases where failures = 1 and lease_until > now()"))
		b.channels.OnReport(nil)
		b.drain.Round(t.Context())
		require.Empty(t, b.reported(), "the pause is kept")
		_, err := b.pool.Exec(t.Context(), `update report_leases set lease_until = now() - interval '1 second'`)
		require.NoError(t, err)
		b.drain.Round(t.Context())
		require.Equal(t, []string{"m0", "m1", "m2"}, b.reported())
		require.Equal(t, 1, b.count("report_leases where failures = 0"))
	})

	t.Run("DropsTheOneThatIsRefusedAndNoOther", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(5)
		b.refuse("m2", fault.New(fault.Invalid, "REPORT_INVALID", "no"))
		b.drain.Round(t.Context())
		require.Equal(t, []string{"m0", "m1", "m3", "m4"}, b.reported())
		require.Equal(t, 1, b.count("webhook_events where outcome = 'failed' and error = 'REPORT_INVALID'"))
		require.Zero(t, b.count("delivery_reports"))
	})

	t.Run("DropsTheOneThatKeepsBreakingChannels", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.receive(2)
		b.refuse("m0", fault.New(fault.Internal, "INTERNAL", "broken"))
		for range conversation.MaxAttempts + 1 {
			b.drain.Round(t.Context())
			_, err := b.pool.Exec(t.Context(), `update report_leases set lease_until = now() - interval '1 second'`)
			require.NoError(t, err)
		}
		require.Equal(t, []string{"m1"}, b.reported())
	})

	t.Run("TellsRunToStop", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, b.drain.Run(ctx))
	})
}
