// Package usage knows what models cost, and ends it for the day where it is enough.
package usage

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	rag "github.com/knobot/knobot/services/rag"
)

// Limits are how many answers of models there may be on one day (UTC); 0 for any number. Evaluations of a knowledge base have
// its limit once more, so that measuring takes nothing from its customers.
type Limits struct{ PerCustomer, PerKnowledgeBase int64 }

// Price is what a model costs, in some currency per million tokens.
type Price struct{ Input, Output float64 }

// Allowance is somebody's number of answers on a day.
type Allowance struct {
	// Kind and Name say whose.
	Kind, Name string
	Limit      int64
}

// Store keeps counts and sums.
type Store interface {
	// TakeAnswer counts one answer more for all of them, or for none and returns false where one has reached its limit.
	TakeAnswer(ctx context.Context, day time.Time, allowances []Allowance) (bool, error)
	// AddUsage adds to the sums of a day.
	AddUsage(ctx context.Context, u rag.DailyUsage) error
	// ForgetAllowances removes the counts of days before one.
	ForgetAllowances(ctx context.Context, before time.Time) error
}

// Ledger limits and sums. It is safe for concurrent use.
type Ledger struct {
	store  Store
	limits Limits
	prices map[string]Price
	cost   *prometheus.CounterVec
	log    *zap.Logger
}

// New returns a ledger; prices are by the names of models.
func New(store Store, limits Limits, prices map[string]Price, log *zap.Logger) *Ledger {
	return &Ledger{store: store, limits: limits, prices: prices, log: log, cost: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "knobot_rag_llm_cost_total", Help: "What models cost, in the currency that prices are set in.",
	}, []string{"model"})}
}

// Measured registers the metric of costs.
func (l *Ledger) Measured(r prometheus.Registerer) *Ledger {
	r.MustRegister(l.cost)
	return l
}

// Allows counts an answer of a model, and tells whether it is within the limits of its customer and knowledge base. When
// that cannot be known it returns an error: who cannot count cannot pay, and yet no limit was reached.
func (l *Ledger) Allows(ctx context.Context, req rag.Request) (bool, error) {
	var allowances []Allowance
	if l.limits.PerCustomer > 0 && req.CustomerKey != "" {
		allowances = append(allowances, Allowance{"customer", req.CustomerKey, l.limits.PerCustomer})
	}
	if l.limits.PerKnowledgeBase > 0 {
		kind := "knowledge base"
		if req.Evaluation {
			kind = "evaluation"
		}
		allowances = append(allowances, Allowance{kind, req.KnowledgeBase, l.limits.PerKnowledgeBase})
	}
	if len(allowances) == 0 {
		return true, nil
	}
	allowed, err := l.store.TakeAnswer(ctx, today(), allowances)
	if err != nil {
		l.log.Warn("answers cannot be counted", zap.Error(err))
	}
	return allowed, err
}

// writing is how long the sums of an answer that is ready may take.
const writing = 2 * time.Second

// Settle returns what calls of models cost, and adds them to the day's sums, even if the caller went away. The last call's
// model wrote the answer.
func (l *Ledger) Settle(ctx context.Context, knowledgeBase string, calls []rag.Usage) (costMicros int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writing)
	defer cancel()
	for i, u := range calls {
		price := l.prices[u.Model]
		u.CostMicros = int64(math.Round(price.Input*float64(u.InputTokens) + price.Output*float64(u.OutputTokens)))
		costMicros += u.CostMicros
		l.cost.WithLabelValues(u.Model).Add(float64(u.CostMicros) / 1e6)
		sum := rag.DailyUsage{Day: today(), KnowledgeBase: knowledgeBase, Usage: u}
		if i == len(calls)-1 {
			sum.Answers = 1
		}
		if err := l.store.AddUsage(ctx, sum); err != nil {
			l.log.Warn("usage could not be recorded", zap.Error(err))
		}
	}
	return costMicros
}

// Run forgets counts that are over, until the context ends.
func (l *Ledger) Run(ctx context.Context) error {
	for {
		if err := l.store.ForgetAllowances(ctx, today()); err != nil && ctx.Err() == nil {
			l.log.Warn("counts of past days could not be removed", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Hour):
		}
	}
}

func today() time.Time { return time.Now().UTC().Truncate(24 * time.Hour) }
