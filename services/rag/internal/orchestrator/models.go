package orchestrator

import (
	"context"
	"time"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/llm"
)

// DefaultPatience is how long models may take for one answer, all calls together: with retrieval and extraction around it
// the customer waits for less than 30 s.
const DefaultPatience = 25 * time.Second

// WithPatience bounds the time that models may take for one answer.
func WithPatience(d time.Duration) Option { return func(o *Orchestrator) { o.patience = d } }

// until is when models must have ended. Of a caller's own time a tenth is kept, so that something can be said without them.
func (o *Orchestrator) until(ctx context.Context) time.Time {
	patience := o.patience
	if end, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(end)/10*9)
	}
	return time.Now().Add(patience)
}

// bill is what models were paid for one answer.
type bill struct {
	entries []rag.Usage
	// counted says that the answer was held against the limits of the day, barred why no model may be asked.
	counted bool
	barred  error
	// took is how long models took, those that failed too.
	took time.Duration
}

// ask has a model do something within a share of what is left of the answer's time, and takes down what it cost. It returns
// errLimit where no model may be asked any more, and another error where that is not known.
func (o *Orchestrator) ask(
	ctx context.Context, d dialogue, share float64, f func(ctx context.Context) (llm.Completion, error),
) (llm.Completion, error) {
	if err := o.permit(ctx, d); err != nil {
		return llm.Completion{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(share*float64(time.Until(d.until))))
	defer cancel()
	begin := time.Now()
	completion, err := f(ctx)
	d.bill.took += time.Since(begin)
	if err == nil {
		d.bill.add(completion)
	}
	return completion, err
}

func (b *bill) add(c llm.Completion) {
	b.entries = append(b.entries, rag.Usage{Model: c.Model, InputTokens: c.InputTokens, OutputTokens: c.OutputTokens})
}

// total names the model that was asked last.
func (b *bill) total() rag.Usage {
	var sum rag.Usage
	for _, u := range b.entries {
		sum.Model = u.Model
		sum.InputTokens += u.InputTokens
		sum.OutputTokens += u.OutputTokens
	}
	return sum
}
