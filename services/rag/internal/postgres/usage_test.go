package postgres_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/platform/pgtest"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/postgres"
	"github.com/knobot/knobot/services/rag/internal/usage"
)

func TestAnswersAreCountedForAllOrForNone(t *testing.T) {
	t.Parallel()
	pool := pgtest.Database(t, postgres.Schema())
	store, day := postgres.NewStore(pool), time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	take := func(customer string, day time.Time) bool {
		taken, err := store.TakeAnswer(t.Context(), day, []usage.Allowance{{Kind: "customer", Name: customer, Limit: 10}, {Kind: "kb", Name: "x", Limit: 15}})
		require.NoError(t, err)
		return taken
	}
	var taken atomic.Int64
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if take("ana", day) {
				taken.Add(1)
			}
		})
	}
	group.Wait()
	require.EqualValues(t, 10, taken.Load())
	for range 5 {
		require.True(t, take("eva", day))
	}
	require.False(t, take("eva", day), "the knowledge base has had enough")
	var eva int
	require.NoError(t, pool.QueryRow(t.Context(), `select min(answers) from model_allowances`).Scan(&eva))
	require.Equal(t, 5, eva, "what was refused is not counted")

	require.True(t, take("ana", day.AddDate(0, 0, 1)), "a day later")
	require.NoError(t, store.ForgetAllowances(t.Context(), day.AddDate(0, 0, 1)))
	var left int
	require.NoError(t, pool.QueryRow(t.Context(), `select count(*) from model_allowances`).Scan(&left))
	require.Equal(t, 2, left)
}

func TestUsageIsSummedByDayKnowledgeBaseAndModel(t *testing.T) {
	t.Parallel()
	store := postgres.NewStore(pgtest.Database(t, postgres.Schema()))
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	one := func(n int, kb, model string) rag.DailyUsage {
		return rag.DailyUsage{
			Day: day(n), KnowledgeBase: kb, Answers: 1,
			Usage: rag.Usage{Model: model, InputTokens: 100, OutputTokens: 7, CostMicros: 3},
		}
	}
	for _, u := range []rag.DailyUsage{one(26, "b", "x"), one(25, "b", "x"), one(26, "b", "x"), one(26, "a", "y"), one(26, "a", "x")} {
		require.NoError(t, store.AddUsage(t.Context(), u))
	}
	double := one(26, "b", "x")
	double.Answers, double.InputTokens, double.OutputTokens, double.CostMicros = 2, 200, 14, 6

	list := func(f rag.UsageFilter, limit int) []rag.DailyUsage {
		out, err := store.Usage(t.Context(), f, limit)
		require.NoError(t, err)
		return out
	}
	all := []rag.DailyUsage{one(25, "b", "x"), one(26, "a", "x"), one(26, "a", "y"), double}
	require.Equal(t, all, list(rag.UsageFilter{To: day(30)}, 10))
	require.Equal(t, all[:2], list(rag.UsageFilter{To: day(30)}, 2))
	require.Equal(t, all[2:], list(rag.UsageFilter{To: day(30), After: all[1]}, 10))
	require.Equal(t, []rag.DailyUsage{all[0], double}, list(rag.UsageFilter{To: day(30), KnowledgeBase: "b"}, 10))
	require.Equal(t, all[1:], list(rag.UsageFilter{From: day(26), To: day(26)}, 10))
	require.Equal(t, all[:1], list(rag.UsageFilter{To: day(25)}, 10))
}
