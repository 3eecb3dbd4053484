package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
)

const (
	noteUnanswered = `
insert into unanswered_questions as u (knowledge_base_id, key, question, language, customer)
select id, $2, $3, $4, $5 from knowledge_bases where name = $1 and delete_time is null
on conflict (knowledge_base_id, key) do update set
    question = excluded.question, language = excluded.language, customer = excluded.customer, asked = u.asked + 1, last_time = now()`

	// What was asked often is not driven out by what was asked once.
	trimUnanswered = `
delete from unanswered_questions where id in (
    select u.id from unanswered_questions u join knowledge_bases k on k.id = u.knowledge_base_id
    where k.name = $1 and k.delete_time is null
    order by u.asked desc, u.last_time desc offset $2)`
)

// NoteUnanswered counts a question, and keeps no more than MaxUnanswered of a knowledge base.
func (s *Store) NoteUnanswered(ctx context.Context, knowledgeBase, customerKey string, q rag.UnansweredQuestion) error {
	var asker []byte
	if customerKey != "" {
		asker = subject(customer, customerKey)
	}
	b := &pgx.Batch{}
	b.Queue(noteUnanswered, knowledgeBase, q.Key, q.Question, q.Language, asker)
	b.Queue(trimUnanswered, knowledgeBase, rag.MaxUnanswered)
	return failure(s.pool.SendBatch(ctx, b).Close())
}

const selectUnanswered = `
select id, key, question, language, asked, last_time from unanswered_questions
where knowledge_base_id = $1 and not dismissed and last_time > now() - $4::interval
order by asked desc, last_time desc, id offset $2 limit $3`

// UnansweredQuestions lists up to limit of a knowledge base's, the most frequent first.
func (s *Store) UnansweredQuestions(ctx context.Context, kb rag.KnowledgeBaseID, offset, limit int) ([]rag.UnansweredQuestion, error) {
	rows, err := s.pool.Query(ctx, selectUnanswered, kb, offset, limit, rag.UnansweredAge)
	if err != nil {
		return nil, failure(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[rag.UnansweredQuestion])
	return list, failure(err)
}

// DismissUnanswered takes a question off the list for good. Returns NotFound if there is none.
func (s *Store) DismissUnanswered(ctx context.Context, id rag.UnansweredID) error {
	parsed, err := uuid.Parse(string(id))
	if err != nil {
		return noQuestion()
	}
	tag, err := s.pool.Exec(ctx, `update unanswered_questions set dismissed = true where id = $1`, parsed.String())
	if err == nil && tag.RowsAffected() == 0 {
		return noQuestion()
	}
	return failure(err)
}

func noQuestion() error {
	return fault.New(fault.NotFound, "QUESTION_NOT_FOUND", "there is no unanswered question with this id")
}

const (
	upsertFeedback = `
insert into feedback (knowledge_base_id, request_id, document_ids, positive)
select id, $2, $3::text[]::uuid[], $4 from knowledge_bases where name = $1 and delete_time is null
on conflict (knowledge_base_id, request_id) do update set
    document_ids = excluded.document_ids, positive = excluded.positive, update_time = now()
returning 1`

	deleteFeedback = `
with base as (
    select id from knowledge_bases where name = $1 and delete_time is null
), gone as (
    delete from feedback f using base where f.knowledge_base_id = base.id and f.request_id = $2
)
select 1 from base`
)

// RecordFeedback replaces what was recorded of the answer before. Ids that are none are left out. Returns NotFound for an
// unknown knowledge base.
func (s *Store) RecordFeedback(ctx context.Context, knowledgeBase string, f rag.Feedback) error {
	var one int
	var err error
	if f.Positive == nil {
		err = s.pool.QueryRow(ctx, deleteFeedback, knowledgeBase, f.Request).Scan(&one)
	} else {
		err = s.pool.QueryRow(ctx, upsertFeedback, knowledgeBase, f.Request, uuids(f.Documents), *f.Positive).Scan(&one)
	}
	if isAbsent(err) {
		err = noKnowledgeBase()
	}
	return failure(err)
}

// uuids are the ids that PostgreSQL takes for one, in one form.
func uuids[T ~string](ids []T) []string {
	list := []string{}
	for _, id := range ids {
		if parsed, err := uuid.Parse(string(id)); err == nil {
			list = append(list, parsed.String())
		}
	}
	return list
}

const selectDocumentFeedback = `
select d.id, d.name, count(*) filter (where f.positive), count(*) filter (where not f.positive)
from feedback f, unnest(f.document_ids) as cited
join documents d on d.id = cited
where f.knowledge_base_id = $1 and d.knowledge_base_id = $1
group by d.id, d.name
order by 4 desc, 3 desc, d.name offset $2 limit $3`

// DocumentFeedback counts the feedback by cited document, for up to limit of them, the most disliked first.
func (s *Store) DocumentFeedback(ctx context.Context, kb rag.KnowledgeBaseID, offset, limit int) ([]rag.DocumentFeedback, error) {
	rows, err := s.pool.Query(ctx, selectDocumentFeedback, kb, offset, limit)
	if err != nil {
		return nil, failure(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[rag.DocumentFeedback])
	return list, failure(err)
}

// ForgetOld removes questions and feedback that are older than they may be.
func (s *Store) ForgetOld(ctx context.Context) error {
	b := &pgx.Batch{}
	b.Queue(`delete from unanswered_questions where last_time < now() - $1::interval`, rag.UnansweredAge)
	b.Queue(`delete from feedback where update_time < now() - $1::interval`, rag.FeedbackAge)
	return failure(s.pool.SendBatch(ctx, b).Close())
}
