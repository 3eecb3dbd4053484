package usage_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/usage"
)

// books is a store that writes down what it is asked; the real one is tested where it is.
type books struct {
	taken    [][]usage.Allowance
	sums     []rag.DailyUsage
	forgot   []time.Time
	allow    bool
	err      error
	canceled bool
}

func (b *books) TakeAnswer(_ context.Context, _ time.Time, a []usage.Allowance) (bool, error) {
	b.taken = append(b.taken, a)
	return b.allow, b.err
}

func (b *books) AddUsage(ctx context.Context, u rag.DailyUsage) error {
	b.sums, b.canceled = append(b.sums, u), ctx.Err() != nil
	return b.err
}

func (b *books) ForgetAllowances(_ context.Context, before time.Time) error {
	b.forgot = append(b.forgot, before)
	return b.err
}

func TestLimits(t *testing.T) {
	t.Parallel()
	customer, base := usage.Allowance{Kind: "customer", Name: "ana", Limit: 2}, usage.Allowance{Kind: "knowledge base", Name: "kb", Limit: 9}
	for name, c := range map[string]struct {
		limits     usage.Limits
		key        string
		want       []usage.Allowance
		evaluation bool
	}{
		"none":           {limits: usage.Limits{}, key: "ana"},
		"customer":       {limits: usage.Limits{PerCustomer: 2}, key: "ana", want: []usage.Allowance{customer}},
		"nobody":         {limits: usage.Limits{PerCustomer: 2}},
		"knowledge base": {limits: usage.Limits{PerKnowledgeBase: 9}, key: "ana", want: []usage.Allowance{base}},
		"both":           {limits: usage.Limits{PerCustomer: 2, PerKnowledgeBase: 9}, key: "ana", want: []usage.Allowance{customer, base}},
		"evaluation": {
			limits: usage.Limits{PerCustomer: 2, PerKnowledgeBase: 9}, evaluation: true,
			want: []usage.Allowance{{Kind: "evaluation", Name: "kb", Limit: 9}},
		},
	} {
		req := rag.Request{CustomerKey: c.key, KnowledgeBase: "kb", Evaluation: c.evaluation}
		b := &books{}
		ledger := usage.New(b, c.limits, nil, zap.NewNop())
		allowed := func() bool {
			allowed, err := ledger.Allows(t.Context(), req)
			require.NoError(t, err, name)
			return allowed
		}
		require.Equal(t, c.want == nil, allowed(), name)
		b.allow = true
		require.True(t, allowed(), name)
		if c.want != nil {
			require.Equal(t, [][]usage.Allowance{c.want, c.want}, b.taken, name)
			b.err = errors.New("away")
			_, err := ledger.Allows(t.Context(), req)
			require.ErrorIs(t, err, b.err, "who cannot count cannot pay, and has reached no limit")
		}
	}
}

func TestCostIsSettledByModelEvenForACallerWhoWentAway(t *testing.T) {
	t.Parallel()
	b := &books{}
	ledger := usage.New(b, usage.Limits{}, map[string]usage.Price{"a": {Input: 0.15, Output: 0.6}}, zap.NewNop())
	metrics := prometheus.NewRegistry()
	ledger.Measured(metrics)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cost := ledger.Settle(ctx, "kb", []rag.Usage{
		{Model: "a", InputTokens: 1_000, OutputTokens: 101}, {Model: "b", InputTokens: 5, OutputTokens: 5},
	})
	require.EqualValues(t, 211, cost, "0.00015 and 0.0000606")
	require.False(t, b.canceled)
	require.Len(t, b.sums, 2)
	require.Equal(t, rag.Usage{Model: "a", InputTokens: 1_000, OutputTokens: 101, CostMicros: 211}, b.sums[0].Usage)
	require.Zero(t, b.sums[0].Answers)
	require.EqualValues(t, 1, b.sums[1].Answers)
	require.Zero(t, b.sums[1].CostMicros)
	require.Equal(t, "kb", b.sums[1].KnowledgeBase)
	require.Zero(t, b.sums[1].Day.Hour())
	require.NoError(t, testutil.GatherAndCompare(metrics, strings.NewReader(`
# HELP knobot_rag_llm_cost_total What models cost, in the currency that prices are set in.
# TYPE knobot_rag_llm_cost_total counter
knobot_rag_llm_cost_total{model="a"} 0.000211
knobot_rag_llm_cost_total{model="b"} 0
`)))
}

func TestPastCountsAreForgottenEveryHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &books{err: errors.New("away")}
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Minute)
		defer cancel()
		require.NoError(t, usage.New(b, usage.Limits{}, nil, zap.NewNop()).Run(ctx))
		require.Len(t, b.forgot, 3)
	})
}
