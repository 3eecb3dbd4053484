package llm_test

import (
	"context"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/telemetry"
	"github.com/knobot/knobot/services/rag/internal/llm"
)

func TestEachCallOfAModelIsMeasuredAndTraced(t *testing.T) {
	t.Parallel()
	first := &scripted{name: "a", do: fails(llm.ErrCut)}
	second := &scripted{name: "b", do: func(context.Context, func(string)) (llm.Completion, error) {
		return llm.Completion{Model: "b", Text: "a canary", InputTokens: 12, OutputTokens: 3}, nil
	}}
	metrics, recorder := prometheus.NewRegistry(), tracetest.NewSpanRecorder()
	chain := llm.NewChain(zap.NewNop(), first, second).Measured(metrics)
	ctx, question := telemetry.Begin(t.Context(), sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)), "question")
	_, err := chain.Complete(ctx, prompt())
	require.NoError(t, err)
	question.End()

	require.NoError(t, testutil.GatherAndCompare(metrics, strings.NewReader(`
# HELP knobot_rag_llm_tokens_total Tokens that models read (input) and wrote (output).
# TYPE knobot_rag_llm_tokens_total counter
knobot_rag_llm_tokens_total{direction="input",model="b"} 12
knobot_rag_llm_tokens_total{direction="output",model="b"} 3
`), "knobot_rag_llm_tokens_total"))
	require.Equal(t, 2, testutil.CollectAndCount(metrics, "knobot_rag_llm_seconds"))

	spans := recorder.Ended()
	require.Equal(t, []string{"chat a", "chat b", "question"}, []string{spans[0].Name(), spans[1].Name(), spans[2].Name()})
	require.Equal(t, codes.Error, spans[0].Status().Code)
	require.Contains(t, spans[0].Attributes(), attribute.String("error.type", "endless"))
	require.Contains(t, spans[1].Attributes(), attribute.Int64("gen_ai.usage.input_tokens", 12))
	for _, a := range spans[1].Attributes() {
		require.NotContains(t, a.Value.String(), "canary")
	}
}
