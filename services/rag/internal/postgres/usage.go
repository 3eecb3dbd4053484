package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/usage"
)

const takeAnswer = `
insert into model_allowances as a (day, subject, answers) values ($1, $2, 1)
on conflict (day, subject) do update set answers = a.answers + 1 where a.answers < $3`

// errSpent rolls back what was counted for others.
var errSpent = errors.New("an allowance is spent")

// TakeAnswer counts one answer more for all allowances, or for none and returns false where one has reached its limit. They
// are taken in the order given, which is the same for all callers.
func (s *Store) TakeAnswer(ctx context.Context, day time.Time, allowances []usage.Allowance) (bool, error) {
	err := s.within(ctx, func(tx pgx.Tx) error {
		for _, a := range allowances {
			tag, err := tx.Exec(ctx, takeAnswer, day, subject(a.Kind, a.Name), a.Limit)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 0 {
				return errSpent
			}
		}
		return nil
	})
	if errors.Is(err, errSpent) {
		return false, nil
	}
	return err == nil, err
}

// customer is the kind of subject that a customer's key is of.
const customer = "customer"

// subject is somebody as a hash: nobody's key is stored.
func subject(kind, name string) []byte {
	sum := sha256.Sum256([]byte(kind + "\x00" + name))
	return sum[:]
}

// ForgetAllowances removes the counts of days before one.
func (s *Store) ForgetAllowances(ctx context.Context, before time.Time) error {
	_, err := s.pool.Exec(ctx, `delete from model_allowances where day < $1`, before)
	return failure(err)
}

const addUsage = `
insert into model_usage as u (day, knowledge_base, model, answers, input_tokens, output_tokens, cost_micros)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (day, knowledge_base, model) do update set
    answers = u.answers + excluded.answers,
    input_tokens = u.input_tokens + excluded.input_tokens,
    output_tokens = u.output_tokens + excluded.output_tokens,
    cost_micros = u.cost_micros + excluded.cost_micros`

// AddUsage adds to the sums of a day.
func (s *Store) AddUsage(ctx context.Context, u rag.DailyUsage) error {
	_, err := s.pool.Exec(ctx, addUsage, u.Day, u.KnowledgeBase, u.Model, u.Answers, u.InputTokens, u.OutputTokens, u.CostMicros)
	return failure(err)
}

const selectUsage = `
select day, knowledge_base, model, answers, input_tokens, output_tokens, cost_micros
from model_usage
where (day, knowledge_base, model) > ($1, $2, $3)
  and ($4 = '' or knowledge_base = $4)
  and day between $5 and $6
order by day, knowledge_base, model
limit $7`

// Usage lists up to limit sums by day, knowledge base and model.
func (s *Store) Usage(ctx context.Context, f rag.UsageFilter, limit int) ([]rag.DailyUsage, error) {
	if f.To.IsZero() {
		f.To = time.Now().UTC()
	}
	rows, err := s.pool.Query(ctx, selectUsage, f.After.Day, f.After.KnowledgeBase, f.After.Model, f.KnowledgeBase, f.From, f.To, limit)
	if err != nil {
		return nil, failure(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (u rag.DailyUsage, err error) {
		err = row.Scan(&u.Day, &u.KnowledgeBase, &u.Model, &u.Answers, &u.InputTokens, &u.OutputTokens, &u.CostMicros)
		return u, err
	})
	return list, failure(err)
}
