package rpcapi

import (
	"maps"
	"slices"
	"time"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
	"github.com/knobot/knobot/services/rag/internal/evaluation"
)

func evaluationProto(results []evaluation.Result, o *ragv1.EvaluateOptions) *ragv1.EvaluateResponse {
	out := &ragv1.EvaluateResponse{Total: metricsProto(evaluation.Measure(results)), Kinds: kindsProto(results)}
	if threshold, useful, ok := evaluation.Calibrate(results); ok {
		out.BestThreshold, out.UsefulAtBest = &threshold, useful
	}
	if len(results) > 0 {
		out.Threshold = results[0].Threshold
	}
	if o.GetResults() {
		for _, r := range results {
			out.Results = append(out.Results, &ragv1.EvaluationResult{
				Id: r.Question.ID, Text: r.Text, Declined: r.Declined, Right: r.Right, Confidence: r.Confidence, Documents: r.Documents,
			})
		}
	}
	return out
}

func kindsProto(results []evaluation.Result) []*ragv1.KindMetrics {
	kinds := map[string][]evaluation.Result{}
	for _, r := range results {
		kinds[r.Question.Kind] = append(kinds[r.Question.Kind], r)
	}
	var out []*ragv1.KindMetrics
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		out = append(out, &ragv1.KindMetrics{Kind: kind, Metrics: metricsProto(evaluation.Measure(kinds[kind]))})
	}
	return out
}

func metricsProto(m evaluation.Metrics) *ragv1.Metrics {
	return &ragv1.Metrics{
		Questions: int32(m.Questions), Answerable: int32(m.Answerable),
		RecallAt_1: m.Recall1, RecallAt_5: m.Recall5, MrrAt_10: m.MRR10, NdcgAt_10: m.NDCG10,
		Right: m.Right, RightAndShort: m.RightAndShort, Useful: m.Useful,
		AbstentionPrecision: m.AbstentionPrecision, AbstentionRecall: m.AbstentionRecall, AbstentionF1: m.AbstentionF1, Auroc: m.AUROC,
		CitationPrecision: m.CitationPrecision, UnknownCitations: int32(m.UnknownCitations),
		LatencyP50: milliseconds(m.P50), LatencyP90: milliseconds(m.P90), LatencyP99: milliseconds(m.P99),
		InputTokens: m.InputTokens, OutputTokens: m.OutputTokens,
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
