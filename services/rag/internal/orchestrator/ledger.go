package orchestrator

import (
	"context"
	"errors"

	rag "github.com/knobot/knobot/services/rag"
)

// Ledger knows what models may cost and did.
type Ledger interface {
	// Allows counts an answer of a model, and tells whether it is within the limits of the day. Returns an error if it cannot
	// be counted.
	Allows(ctx context.Context, req rag.Request) (bool, error)
	// Settle returns what calls of models cost, and records them.
	Settle(ctx context.Context, knowledgeBase string, calls []rag.Usage) (costMicros int64)
}

// WithLedger limits what models may be asked for, and records what they cost.
func WithLedger(l Ledger) Option { return func(o *Orchestrator) { o.ledger = l } }

// errLimit says that no model is asked any more today.
var errLimit = errors.New("the daily limit of answers by models is reached")

// permit returns nil if a model may be asked for this answer, else errLimit or why that cannot be known. It is counted once,
// when the first call is made: what needs no model counts nothing.
func (o *Orchestrator) permit(ctx context.Context, d dialogue) error {
	if o.ledger == nil || d.bill.counted {
		return d.bill.barred
	}
	d.bill.counted = true
	allowed, err := o.ledger.Allows(ctx, d.Request)
	if err == nil && !allowed {
		err = errLimit
	}
	d.bill.barred = err
	return err
}

// settle returns what models did for an answer, recorded.
func (o *Orchestrator) settle(ctx context.Context, d dialogue) rag.Usage {
	used := d.bill.total()
	if o.ledger != nil && len(d.bill.entries) > 0 {
		used.CostMicros = o.ledger.Settle(ctx, d.KnowledgeBase, d.bill.entries)
	}
	return used
}
