package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation"
)

// found lists deliveries page by page, two at a time.
func (b *bundle) found(f conversation.LogFilter) []conversation.LogID {
	b.t.Helper()
	var ids []conversation.LogID
	for f.Limit = 2; ; {
		page, err := b.store.Logs(b.t.Context(), f)
		require.NoError(b.t, err)
		for _, l := range page {
			ids = append(ids, l.ID)
		}
		if len(page) < f.Limit {
			return ids
		}
		last := page[len(page)-1]
		f.After = &conversation.Cursor{Time: last.CreateTime, ID: string(last.ID)}
	}
}

func TestLogsAreFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	receive := func(arrivals ...conversation.Arrival) conversation.LogID { return b.receive(arrivals...).Log }
	voice := func(a *conversation.Arrival) { a.Kind = "voice" }
	first := receive(b.says("uno"), b.says("dos"))
	stale := receive(b.says("tarde", at(time.Now().Add(-48*time.Hour))))
	both := receive(b.says("tarde", of("wa-2"), voice, at(time.Now().Add(-48*time.Hour))), b.says("a tiempo"))
	second := receive(b.says("tres", of("wa-2")))
	last := receive(b.says("cuatro", voice))
	b.exec(`update webhook_logs set create_time = create_time - interval '10 minutes' where id = any($1::text[]::uuid[])`, []string{string(first), string(stale)})

	// Ids say when they were made: what is old by its time has an id of that time, too.
	older := func(id conversation.LogID) conversation.LogID {
		moved := conversation.LogID("00000000-0001-7000-8000-" + string(id)[24:])
		b.exec(`update webhook_logs set id = $2::text::uuid, create_time = now() - interval '30 days' where id = $1`, string(id), string(moved))
		b.exec(`update webhook_events set log_id = $2::text::uuid where log_id = $1`, string(id), string(moved))
		return moved
	}
	ancient := older(receive(b.says("antes", of("wa-2"))))
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }

	for name, c := range map[string]struct {
		filter conversation.LogFilter
		want   []conversation.LogID
	}{
		"AllNewestFirst":        {conversation.LogFilter{}, []conversation.LogID{last, second, both, stale, first, ancient}},
		"OfAnIntegration":       {conversation.LogFilter{Integration: "wa-2"}, []conversation.LogID{second, both, ancient}},
		"OfAKind":               {conversation.LogFilter{EventType: "voice"}, []conversation.LogID{last, both}},
		"OfAPlatform":           {conversation.LogFilter{Platform: conversation.Telegram}, nil},
		"WithARareOutcome":      {conversation.LogFilter{Outcome: conversation.OutcomeStale}, []conversation.LogID{both, stale}},
		"WithAnOrdinaryOutcome": {conversation.LogFilter{Outcome: conversation.OutcomeOpen}, []conversation.LogID{last, second, both, first, ancient}},
		"OutcomeOfTheIntegration": {
			conversation.LogFilter{Integration: "wa-2", Outcome: conversation.OutcomeOpen}, []conversation.LogID{second, ancient},
		},
		"RareOutcomeOfTheIntegration": {
			conversation.LogFilter{Integration: number, Outcome: conversation.OutcomeStale}, []conversation.LogID{stale},
		},
		"OutcomeOfAKind":  {conversation.LogFilter{EventType: "voice", Outcome: conversation.OutcomeOpen}, []conversation.LogID{last, both}},
		"IntegrationKind": {conversation.LogFilter{Integration: "wa-2", EventType: "voice"}, []conversation.LogID{both}},
		"SinceATime":      {conversation.LogFilter{Range: conversation.TimeRange{From: ago(5 * time.Minute)}}, []conversation.LogID{last, second, both}},
		"UntilATime": {
			conversation.LogFilter{Range: conversation.TimeRange{Until: ago(5 * time.Minute)}}, []conversation.LogID{stale, first, ancient},
		},
		"RareOutcomeSinceATime": {
			conversation.LogFilter{Outcome: conversation.OutcomeStale, Range: conversation.TimeRange{From: ago(5 * time.Minute)}},
			[]conversation.LogID{both},
		},
		"IntegrationWithinARange": {
			conversation.LogFilter{Integration: "wa-2", Range: conversation.TimeRange{From: ago(5 * time.Minute), Until: ago(-time.Minute)}},
			[]conversation.LogID{second, both},
		},
		"NothingInTheFuture": {conversation.LogFilter{Integration: "wa-2", Range: conversation.TimeRange{From: ago(-time.Hour)}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, b.found(c.filter))
		})
	}

	t.Run("CountsWithinARange", func(t *testing.T) {
		t.Parallel()
		counts, err := b.store.CountLogs(t.Context(), conversation.TimeRange{From: ago(5 * time.Minute)})
		require.NoError(t, err)
		require.Equal(t, []conversation.PlatformCount{{Platform: conversation.WhatsApp, Total: 3}}, counts)
		outcomes, err := b.store.CountOutcomes(t.Context(), conversation.TimeRange{From: ago(5 * time.Minute)})
		require.NoError(t, err)
		require.Equal(t, []conversation.OutcomeCount{
			{Platform: conversation.WhatsApp, Integration: number, Outcome: conversation.OutcomeOpen, Total: 2},
			{Platform: conversation.WhatsApp, Integration: "wa-2", Outcome: conversation.OutcomeOpen, Total: 1},
			{Platform: conversation.WhatsApp, Integration: "wa-2", Outcome: conversation.OutcomeStale, Total: 1},
		}, outcomes)
		none, err := b.store.CountLogs(t.Context(), conversation.TimeRange{From: ago(-time.Hour)})
		require.NoError(t, err)
		require.Empty(t, none)
	})
}
