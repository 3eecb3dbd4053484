package rpcapi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	rag "github.com/knobot/knobot/services/rag"
)

func TestListUsage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	day := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	for _, model := range []string{"a/x y", "b/z", "c"} {
		require.NoError(t, b.store.AddUsage(t.Context(), rag.DailyUsage{
			Day: day, KnowledgeBase: "kb", Answers: 1, Usage: rag.Usage{Model: model, InputTokens: 100, OutputTokens: 7, CostMicros: 3},
		}))
	}
	first, err := b.usage.ListUsage(t.Context(), &ragv1.ListUsageRequest{KnowledgeBase: "kb", StartDay: "2026-11-26", EndDay: "2026-11-26", PageSize: 1})
	require.NoError(t, err)
	require.Len(t, first.GetUsage(), 1)
	u := first.GetUsage()[0]
	require.Equal(t, []any{"2026-11-26", "kb", "a/x y", int64(1), int64(100), int64(7), int64(3)},
		[]any{u.GetDay(), u.GetKnowledgeBase(), u.GetModel(), u.GetAnswers(), u.GetInputTokens(), u.GetOutputTokens(), u.GetCostMicros()})
	rest, err := b.usage.ListUsage(t.Context(), &ragv1.ListUsageRequest{KnowledgeBase: "kb", EndDay: "2026-11-26", PageToken: first.GetNextPageToken()})
	require.NoError(t, err)
	require.Len(t, rest.GetUsage(), 2)
	require.Empty(t, rest.GetNextPageToken())

	for reason, r := range map[string]*ragv1.ListUsageRequest{
		"DAY": {StartDay: "ayer"}, "PAGE_SIZE": {PageSize: -1}, "PAGE_TOKEN": {PageToken: first.GetNextPageToken()}, "KNOWLEDGE_BASE": {KnowledgeBase: "\x00"},
	} {
		_, err := b.usage.ListUsage(t.Context(), r)
		requireStatus(t, err, codes.InvalidArgument, reason)
	}
	_, err = b.usage.ListUsage(t.Context(), &ragv1.ListUsageRequest{EndDay: "2026-13-01"})
	requireStatus(t, err, codes.InvalidArgument, "DAY")
}
