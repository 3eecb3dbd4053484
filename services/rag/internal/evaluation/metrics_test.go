package evaluation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/evaluation"
)

func answerable(documents ...string) evaluation.Question {
	return evaluation.Question{Answers: []string{"gold"}, Documents: documents}
}

func TestRetrievalIsMeasuredOverQuestionsThatNameDocuments(t *testing.T) {
	t.Parallel()
	m := evaluation.Measure([]evaluation.Result{
		{Question: answerable("a"), Documents: []string{"a", "b"}, Cited: "a"},
		{Question: answerable("b"), Documents: []string{"a", "b"}, Cited: "a"},
		{Question: answerable("c"), Documents: []string{"1", "2", "3", "4", "5", "c"}},
		{Question: answerable("d")},
		{Question: evaluation.Question{}, Documents: []string{"a"}, Unknown: 1},
	})
	require.Equal(t, 5, m.Questions)
	require.Equal(t, 4, m.Answerable)
	require.InDelta(t, 1.0/4, m.Recall1, 1e-9)
	require.InDelta(t, 2.0/4, m.Recall5, 1e-9)
	require.InDelta(t, (1+0.5+1.0/6)/4, m.MRR10, 1e-9)
	require.InDelta(t, (1+0.630929754+0.356207187)/4, m.NDCG10, 1e-9)
	require.InDelta(t, 1.0/2, m.CitationPrecision, 1e-9)
	require.Equal(t, 1, m.UnknownCitations)
}

func TestAnswersAndAbstention(t *testing.T) {
	t.Parallel()
	m := evaluation.Measure([]evaluation.Result{
		{Question: answerable(), Right: true, Short: true, Confidence: 0.9, Latency: 1 * time.Millisecond},
		{Question: answerable(), Right: true, Confidence: 0.8, Latency: 2 * time.Millisecond, Usage: rag.Usage{InputTokens: 40}},
		{Question: answerable(), Right: true, Short: true, Declined: true, Confidence: 0.2, Latency: 3 * time.Millisecond},
		{Declined: true, Confidence: 0.2, Latency: 4 * time.Millisecond},
		{Confidence: 0.7, Latency: 5 * time.Millisecond, Usage: rag.Usage{OutputTokens: 5}},
	})
	require.InDelta(t, 1.0, m.Right, 1e-9)
	require.InDelta(t, 2.0/3, m.RightAndShort, 1e-9)
	require.InDelta(t, 2.0/5, m.Useful, 1e-9, "the first and the rightly declined")
	require.InDelta(t, 0.5, m.AbstentionPrecision, 1e-9)
	require.InDelta(t, 0.5, m.AbstentionRecall, 1e-9)
	require.InDelta(t, 0.5, m.AbstentionF1, 1e-9)
	require.InDelta(t, (2+2+0.5)/6, m.AUROC, 1e-9)
	require.Equal(t, 3*time.Millisecond, m.P50)
	require.Equal(t, 5*time.Millisecond, m.P99)
	require.InDelta(t, 8, m.InputTokens, 1e-9)
	require.InDelta(t, 1, m.OutputTokens, 1e-9)
}

func TestNothingMeasuredIsZero(t *testing.T) {
	t.Parallel()
	require.Equal(t, evaluation.Metrics{}, evaluation.Measure(nil))
}

func TestCalibrationFindsTheThresholdThatServesMost(t *testing.T) {
	t.Parallel()
	right := func(confidence float64) evaluation.Result {
		return evaluation.Result{Question: answerable(), Right: true, Short: true, Confidence: confidence}
	}
	threshold, useful, ok := evaluation.Calibrate([]evaluation.Result{
		right(0.9), right(0.6), {Confidence: 0.3}, {Confidence: 0.4}, right(0.2),
	})
	require.True(t, ok)
	require.InDelta(t, 0.5, threshold, 1e-9, "between the highest to decline and the lowest to answer")
	require.InDelta(t, 4.0/5, useful, 1e-9)

	threshold, useful, ok = evaluation.Calibrate([]evaluation.Result{right(0.1), right(0.2), {Confidence: 0.9}})
	require.True(t, ok)
	require.Zero(t, threshold, "declining would cost more than it serves")
	require.InDelta(t, 2.0/3, useful, 1e-9)

	_, _, ok = evaluation.Calibrate([]evaluation.Result{right(0.1)})
	require.False(t, ok)
}

func TestCalibrationLeavesOutWhatNoThresholdChanges(t *testing.T) {
	t.Parallel()
	right := evaluation.Result{Question: answerable(), Right: true, Short: true, Confidence: 0.6}
	handedOver := evaluation.Result{Declined: true, Regardless: true, Confidence: 1}
	vain := evaluation.Result{Question: answerable(), Declined: true, Regardless: true, Confidence: 0.1}
	threshold, useful, ok := evaluation.Calibrate([]evaluation.Result{right, {Confidence: 0.4}, handedOver, vain})
	require.True(t, ok)
	require.InDelta(t, 0.5, threshold, 1e-9)
	require.InDelta(t, 3.0/4, useful, 1e-9)

	_, _, ok = evaluation.Calibrate([]evaluation.Result{right, handedOver})
	require.False(t, ok, "nothing is left that a threshold could decline")
}
