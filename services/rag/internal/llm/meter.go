package llm

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/knobot/knobot/platform/telemetry"
)

// meter measures calls of models, and makes a span of each. Models come from the configuration, so the labels are bounded.
type meter struct {
	seconds *prometheus.HistogramVec
	tokens  *prometheus.CounterVec
}

func newMeter() meter {
	return meter{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "knobot_rag_llm_seconds", Help: "Duration of calls of models with their repeats, by result: done, refused, empty, endless, late, failed.",
			Buckets: []float64{.1, .25, .5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 40},
		}, []string{"model", "result"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "knobot_rag_llm_tokens_total", Help: "Tokens that models read (input) and wrote (output).",
		}, []string{"model", "direction"}),
	}
}

// Measured registers the metrics of the chain's models.
func (c *Chain) Measured(r prometheus.Registerer) *Chain {
	r.MustRegister(c.meter.seconds, c.meter.tokens)
	return c
}

// watch makes a call of a model. The span says which and how much, never what.
func (m meter) watch(ctx context.Context, model Model, ask call) (Completion, error) {
	begin := time.Now()
	ctx, span := telemetry.Start(ctx, "chat "+model.Name(), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.request.model", model.Name())))
	defer span.End()
	completion, err := ask(ctx, model)
	result := resultOf(err)
	telemetry.Observe(ctx, m.seconds.WithLabelValues(model.Name(), result), time.Since(begin).Seconds())
	if err != nil {
		span.SetAttributes(attribute.String("error.type", result))
		span.SetStatus(codes.Error, "")
		return completion, err
	}
	span.SetAttributes(attribute.Int64("gen_ai.usage.input_tokens", completion.InputTokens),
		attribute.Int64("gen_ai.usage.output_tokens", completion.OutputTokens))
	m.tokens.WithLabelValues(model.Name(), "input").Add(float64(completion.InputTokens))
	m.tokens.WithLabelValues(model.Name(), "output").Add(float64(completion.OutputTokens))
	return completion, nil
}

func resultOf(err error) string {
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, ErrRefused):
		return "refused"
	case errors.Is(err, ErrEmpty):
		return "empty"
	case errors.Is(err, ErrCut):
		return "endless"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "late"
	default:
		return "failed"
	}
}
