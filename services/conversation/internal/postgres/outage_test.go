package postgres_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/conversation"
)

// TestBrokenConnectionsLoseAndDoubleNothing cuts all connections again and again while webhooks come in, each repeated until it
// is acknowledged, as providers do.
func TestBrokenConnectionsLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const webhooks = 60
	done := make(chan struct{})
	var cutting sync.WaitGroup
	cutting.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				_, _ = b.pool.Exec(context.Background(),
					`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and random() < 0.3`)
			}
		}
	})
	var posting sync.WaitGroup
	for range webhooks {
		d := b.webhook(b.says("hola"))
		posting.Go(func() {
			for {
				_, err := b.store.Ingest(context.Background(), []conversation.Delivery{d})
				if err == nil {
					return
				}
				if !fault.IsKind(err, fault.Unavailable) {
					t.Errorf("neither stored nor unavailable: %v", err)
					return
				}
				// The provider's repeat is a delivery of its own.
				next := b.webhook(d.Arrivals...)
				next.Payload = d.Payload
				d = next
			}
		})
	}
	posting.Wait()
	close(done)
	cutting.Wait()
	require.Equal(t, webhooks, b.count("messages"))
	require.Equal(t, webhooks, b.count("inbound_keys"))
	require.Equal(t, 1, b.count("conversations where last_position = $1", webhooks))
	require.Equal(t, webhooks, b.count("webhook_events where outcome = 'open'"))
}
