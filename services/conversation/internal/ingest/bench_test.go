package ingest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/pgtest"
	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/ingest"
	"github.com/knobot/knobot/services/conversation/internal/integrations"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
	"github.com/knobot/knobot/services/conversation/internal/postgres"
)

// BenchmarkIntake stores messages of 1,000 customers, 64 webhooks at a time. The test server does not fsync: make bench
// measures the whole with a server that does.
func BenchmarkIntake(b *testing.B) {
	pool := pgtest.Database(b, postgres.Schema())
	table := integrations.NewTable()
	table.Replace(map[conversation.IntegrationID]conversation.Integration{number: conversation.DefaultIntegration(number, conversation.WhatsApp)})
	intake := ingest.New(b.Context(), ingest.Config{
		Store:        postgres.NewStore(pool, postgres.Settings{IdleAfter: 24 * time.Hour, LongestWait: 10 * time.Second}),
		Integrations: table, Courtesies: &shown{}, Wake: func() {}, Metrics: metrics.New(prometheus.NewRegistry()), Log: zap.NewNop(),
		Settings: ingest.Settings{StaleAfter: 24 * time.Hour},
	})
	defer intake.Close()
	keys := bundle{}
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			e := keys.says("¿A qué hora abren los domingos?")
			phone := fmt.Sprintf("57300%07d", keys.keys.Load()%1000)
			e = of(e, func(m *conversation.InboundMessage) {
				m.Sender.PhoneNumber, m.Address.PhoneNumber = phone, phone
			})
			_, err := intake.Ingest(context.Background(), ingest.Webhook{
				Platform: conversation.WhatsApp, Payload: fmt.Appendf(make([]byte, 1500, 1600), "%s", e.Key), Events: []conversation.Event{e},
			})
			require.NoError(b, err)
		}
	})
}
