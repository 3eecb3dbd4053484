package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Forget removes what is kept under a customer's key, and the feedback on these answers, whatever its knowledge base is.
func (s *Store) Forget(ctx context.Context, customerKey string, requests []string) error {
	asker := subject(customer, customerKey)
	b := &pgx.Batch{}
	b.Queue(`delete from model_allowances where subject = $1`, asker)
	b.Queue(`delete from unanswered_questions where customer = $1`, asker)
	if len(requests) > 0 {
		b.Queue(`
delete from feedback f using knowledge_bases k where f.knowledge_base_id = k.id and f.request_id = any ($1::text[])`, requests)
	}
	return failure(s.pool.SendBatch(ctx, b).Close())
}
