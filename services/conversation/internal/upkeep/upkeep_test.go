package upkeep_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/knobot/knobot/services/conversation"
	"github.com/knobot/knobot/services/conversation/internal/metrics"
	"github.com/knobot/knobot/services/conversation/internal/postgres"
	"github.com/knobot/knobot/services/conversation/internal/upkeep"
)

// store counts what it is asked. What the statements do is tested where they are.
type store struct {
	left             int64
	prunes, measures int
	older            time.Duration
	logs             []time.Duration
	notices          time.Duration
	forsaken         []conversation.IntegrationID
	messages         int64
	expired, emptied []string
	err              error
}

func (s *store) PruneKeys(_ context.Context, older time.Duration, batch int) (int64, error) {
	s.prunes++
	s.older = older
	n := min(s.left, int64(batch))
	s.left -= n
	return n, s.err
}

func (s *store) PruneLogs(_ context.Context, older time.Duration, _ int) (int64, error) {
	s.logs = append(s.logs, older)
	return 0, nil
}

func (s *store) PruneNotices(_ context.Context, older time.Duration, _ int) (int64, error) {
	s.notices = older
	return 0, nil
}

func (s *store) ForsakeTurns(_ context.Context, deleted []conversation.IntegrationID) error {
	s.forsaken = deleted
	return nil
}

func (s *store) Depth(context.Context) (postgres.Depth, error) {
	s.measures++
	return postgres.Depth{Turns: 3, Oldest: 1.5, Overdue: 0.5, Reports: 2, Files: 4, Notices: 5, OldestNotice: 2.5}, nil
}

func (s *store) PruneErasures(context.Context, time.Duration) error { return nil }

func (s *store) Integrations(context.Context) ([]conversation.IntegrationID, error) {
	return []conversation.IntegrationID{"own", "plain", "unknown"}, nil
}

func (s *store) ExpireMessages(_ context.Context, id conversation.IntegrationID, older time.Duration, batch int) (int64, error) {
	s.expired = append(s.expired, string(id)+" "+older.String())
	n := min(s.messages, int64(batch))
	s.messages -= n
	return n, nil
}

func (s *store) ExpirePayloads(_ context.Context, in conversation.Integration, older time.Duration, after *conversation.Cursor, _ int) (
	int64, *conversation.Cursor, error,
) {
	s.emptied = append(s.emptied, string(in.ID)+" "+older.String())
	if after != nil {
		return 0, nil, nil
	}
	return 1, &conversation.Cursor{ID: "x"}, nil
}

type gone []conversation.IntegrationID

func (g gone) Deleted() []conversation.IntegrationID { return g }

func (g gone) Get(id conversation.IntegrationID) (conversation.Integration, bool) {
	in := conversation.DefaultIntegration(id, conversation.WhatsApp)
	if id == "own" {
		week, day := 7*24*time.Hour, 24*time.Hour
		in.KeepMessages, in.KeepPayloads = &week, &day
	}
	return in, id != "unknown"
}

func TestKeeper(t *testing.T) {
	t.Parallel()

	t.Run("PrunesBatchByBatchUntilNothingIsLeft", func(t *testing.T) {
		t.Parallel()
		s := &store{left: 12_000}
		upkeep.NewKeeper(s, gone{"a"}, upkeep.Keep{Logs: time.Hour}, metrics.New(prometheus.NewRegistry()), zap.NewNop()).Clean(t.Context())
		require.Equal(t, 3, s.prunes)
		require.Equal(t, 10*24*time.Hour, s.older)
		require.Equal(t, []time.Duration{time.Hour}, s.logs)
		require.Equal(t, 7*24*time.Hour, s.notices)
		require.Equal(t, []conversation.IntegrationID{"a"}, s.forsaken)
	})

	t.Run("EachIntegrationKeepsAsLongAsItSays", func(t *testing.T) {
		t.Parallel()
		s := &store{messages: 1500}
		k := upkeep.NewKeeper(s, gone{}, upkeep.Keep{Messages: 48 * time.Hour}, metrics.New(prometheus.NewRegistry()), zap.NewNop())
		k.Retain(t.Context())
		require.Equal(t, []string{"own 168h0m0s", "own 168h0m0s", "own 168h0m0s", "plain 48h0m0s", "unknown 48h0m0s"}, s.expired)
		require.Equal(t, []string{"own 24h0m0s", "own 24h0m0s", "plain 48h0m0s", "plain 48h0m0s"}, s.emptied, "bodies no longer than messages")
		s.emptied = nil
		k.Retain(t.Context())
		require.Equal(t, []string{"own 24h0m0s", "plain 48h0m0s"}, s.emptied, "what was looked at is not looked at again")
		s.expired = nil
		upkeep.NewKeeper(s, gone{}, upkeep.Keep{}, metrics.New(prometheus.NewRegistry()), zap.NewNop()).Retain(t.Context())
		require.Equal(t, []string{"own 168h0m0s"}, s.expired, "all others keep for ever")
	})

	t.Run("GoesOnAfterAFailure", func(t *testing.T) {
		t.Parallel()
		s := &store{left: 9000, err: errors.New("away")}
		upkeep.NewKeeper(s, gone{}, upkeep.Keep{Logs: time.Hour}, metrics.New(prometheus.NewRegistry()), zap.NewNop()).Clean(t.Context())
		require.Equal(t, 1, s.prunes)
		require.Empty(t, s.forsaken)
		require.Empty(t, s.logs)
	})

	t.Run("MeasuresOftenAndCleansSometimes", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &store{}
			ctx, cancel := context.WithTimeout(t.Context(), 21*time.Minute)
			defer cancel()
			registry := prometheus.NewRegistry()
			require.NoError(t, upkeep.NewKeeper(s, gone{}, upkeep.Keep{}, metrics.New(registry), zap.NewNop()).Run(ctx))
			require.Equal(t, 2, s.prunes)
			require.Empty(t, s.logs, "kept for ever")
			require.InDelta(t, 252, s.measures, 2)
			families, err := registry.Gather()
			require.NoError(t, err)
			found := map[string]float64{}
			for _, f := range families {
				if g := f.GetMetric()[0].GetGauge(); g != nil {
					found[f.GetName()] = g.GetValue()
				}
			}
			require.Equal(t, map[string]float64{
				"knobot_conversation_turns_waiting": 3, "knobot_conversation_turns_oldest_seconds": 1.5, "knobot_conversation_turns_overdue_seconds": 0.5,
				"knobot_conversation_reports_waiting": 2, "knobot_conversation_files_waiting": 4,
				"knobot_conversation_notices_waiting": 5, "knobot_conversation_notices_oldest_seconds": 2.5,
			}, found)
		})
	})
}
