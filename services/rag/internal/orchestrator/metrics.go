package orchestrator

import "github.com/prometheus/client_golang/prometheus"

// Option is something that an orchestrator can do without.
type Option func(*Orchestrator)

// WithMetrics counts what became of the answers that models wrote.
func WithMetrics(r prometheus.Registerer) Option {
	return func(o *Orchestrator) { r.MustRegister(o.written) }
}

// What becomes of an answer of a model's.
const (
	said       = "said"
	declined   = "declined"
	misquotes  = "misquoted"
	unproven   = "unproven"
	ungrounded = "ungrounded"
	failed     = "failed"
	limited    = "limited"
)

func newWritten() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "knobot_rag_model_answers_total",
		Help: "Answers asked of a model by what became of them; the documents' own words stand in for all that are not said or declined.",
	}, []string{"result"})
}
