package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	rag "github.com/knobot/knobot/services/rag"
)

const claim = `
with due as (
    select id from ingestions
    where ` + isOpen + ` and due_time <= now() and (lease_time is null or lease_time < now())
    order by due_time limit 1 for update skip locked)
update ingestions i set lease_token = gen_random_uuid(), lease_time = now() + $1::interval, crashes = i.crashes + 1
from due, knowledge_bases k
where i.id = due.id and k.id = i.knowledge_base_id
returning i.id, k.name, i.document_name, i.attempts, i.create_time, i.lease_token::text, i.crashes - 1,
    i.knowledge_base_id, i.title, i.source_uri, i.content_type, i.audience, i.trust, i.hash, i.content`

// Claim leases the job that waits longest. found is false if none is due.
func (s *Store) Claim(ctx context.Context, lease time.Duration) (job rag.Job, found bool, err error) {
	v := &job.Version
	err = s.pool.QueryRow(ctx, claim, lease).Scan(&job.ID, &job.KnowledgeBase, &job.DocumentName, &job.Attempts, &job.CreateTime, &job.Lease,
		&job.Crashes, &v.KnowledgeBase, &v.Title, &v.SourceURI, &v.Type, &v.Audience, &v.Trust, &v.Hash, &v.Content)
	if isNoRows(err) {
		return rag.Job{}, false, nil
	}
	v.Name = job.DocumentName
	return job, err == nil, failure(err)
}

// held runs a statement on a job that the lease holds; its first two arguments are the job's. Returns ErrLeaseLost if it
// changed nothing.
func (s *Store) held(ctx context.Context, statement string, job rag.Job, more ...any) error {
	tag, err := s.pool.Exec(ctx, statement, append([]any{job.ID, job.Lease}, more...)...)
	if err == nil && tag.RowsAffected() == 0 {
		return ErrLeaseLost
	}
	return failure(err)
}

const (
	renew = `
update ingestions set lease_time = now() + $3::interval where id = $1 and lease_token = $2`

	progress = `
update ingestions set state = $3, passages_done = $4, passages_total = $5, update_time = clock_timestamp()
where id = $1 and lease_token = $2`

	fail = `
update ingestions set state = 'failed', reason = $3, message = $4, content = null, lease_token = null, lease_time = null,
    update_time = clock_timestamp()
where id = $1 and lease_token = $2`

	postpone = `
update ingestions set state = 'queued', reason = $3, message = $4, attempts = attempts + 1, crashes = 0, passages_done = 0,
    due_time = now() + $5::interval, lease_token = null, lease_time = null, update_time = clock_timestamp()
where id = $1 and lease_token = $2`

	release = `
update ingestions set state = 'queued', crashes = 0, passages_done = 0, lease_token = null, lease_time = null,
    update_time = clock_timestamp()
where id = $1 and lease_token = $2`

	complete = `
update ingestions set state = 'done', passages_done = passages_total, content = null, reason = '', message = '',
    lease_token = null, lease_time = null, update_time = clock_timestamp()
where id = $1 and lease_token = $2`
)

// Renew keeps a job for another lease. Returns ErrLeaseLost.
func (s *Store) Renew(ctx context.Context, job rag.Job, lease time.Duration) error {
	return s.held(ctx, renew, job, lease)
}

// Progress says how far a job is. Returns ErrLeaseLost.
func (s *Store) Progress(ctx context.Context, job rag.Job, state rag.IngestionState, done, total int) error {
	return s.held(ctx, progress, job, state, done, total)
}

// Fail ends a job for good. Returns ErrLeaseLost.
func (s *Store) Fail(ctx context.Context, job rag.Job, reason, message string) error {
	return s.held(ctx, fail, job, reason, message)
}

// Postpone gives a job back that failed and is to be tried again later. Returns ErrLeaseLost.
func (s *Store) Postpone(ctx context.Context, job rag.Job, reason, message string, pause time.Duration) error {
	return s.held(ctx, postpone, job, reason, message, pause)
}

// Release gives a job back that was not finished, through no fault of its own. Returns ErrLeaseLost.
func (s *Store) Release(ctx context.Context, job rag.Job) error { return s.held(ctx, release, job) }

// Complete activates a job's version and ends the job, all at once. Returns ErrLeaseLost, activating nothing, if it was
// superseded, and NotFound if the knowledge base is gone.
func (s *Store) Complete(ctx context.Context, job rag.Job, v rag.Version) (out Activated, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, complete, job.ID, job.Lease)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrLeaseLost
		}
		if out, err = activate(ctx, tx, v); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
update ingestions i set document_id = d.id, unchanged = $4 from documents d
where i.id = $1 and d.knowledge_base_id = $2 and d.name = $3`, job.ID, v.KnowledgeBase, v.Name, out.Unchanged)
		return err
	})
	if err != nil {
		return Activated{}, err
	}
	out.Document, err = s.documentNamed(ctx, v.KnowledgeBase, v.Name)
	return out, err
}

// Supersede gives up what waits for a document, because it has the newest content already.
func (s *Store) Supersede(ctx context.Context, kb rag.KnowledgeBaseID, document string) error {
	_, err := s.pool.Exec(ctx, supersede, kb, document, endOfTime)
	return failure(err)
}

// PruneIngestions forgets those that ended longer ago than age.
func (s *Store) PruneIngestions(ctx context.Context, age time.Duration) error {
	_, err := s.pool.Exec(ctx, `
delete from ingestions where state in ('done', 'failed', 'superseded') and update_time < now() - $1::interval`, age)
	return failure(err)
}
