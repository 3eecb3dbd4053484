package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
)

const createKnowledgeBase = `
insert into knowledge_bases (name, display_name, index_analyzer, index_model) select $1, $2, analyzer, model from index_spec
on conflict (name) where delete_time is null do nothing
returning id, name, display_name, 0, 0, false, 0, create_time, answer_threshold`

// CreateKnowledgeBase makes an empty one. Returns a Conflict if the name is taken.
func (s *Store) CreateKnowledgeBase(ctx context.Context, name, displayName string) (rag.KnowledgeBase, error) {
	kb, err := scanKnowledgeBase(s.pool.QueryRow(ctx, createKnowledgeBase, name, displayName))
	if isNoRows(err) {
		err = fault.New(fault.Conflict, "KNOWLEDGE_BASE_EXISTS", "there is a knowledge base of this name already")
	}
	return kb, failure(err)
}

// knowledgeBaseColumns are of a row called k.
const knowledgeBaseColumns = `
k.id, k.name, k.display_name, (select count(*) from documents d where d.knowledge_base_id = k.id), k.passage_count,
       k.next_generation is not null,
       (select coalesce(sum(d.passage_count), 0) from documents d join index_fills f on f.version_id = d.version_id
        where d.knowledge_base_id = k.id and f.generation = k.next_generation), k.create_time,
       k.answer_threshold`

const selectKnowledgeBases = `select ` + knowledgeBaseColumns + `
from knowledge_bases k
where k.delete_time is null`

// KnowledgeBase returns one by name. Returns NotFound if there is none.
func (s *Store) KnowledgeBase(ctx context.Context, name string) (rag.KnowledgeBase, error) {
	kb, err := scanKnowledgeBase(s.pool.QueryRow(ctx, selectKnowledgeBases+` and k.name = $1`, name))
	if isAbsent(err) {
		err = noKnowledgeBase()
	}
	return kb, failure(err)
}

// KnowledgeBases lists up to limit by name, those after a name.
func (s *Store) KnowledgeBases(ctx context.Context, after string, limit int) ([]rag.KnowledgeBase, error) {
	rows, err := s.pool.Query(ctx, selectKnowledgeBases+` and k.name > $1 order by k.name limit $2`, after, limit)
	if err != nil {
		return nil, failure(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (rag.KnowledgeBase, error) {
		return scanKnowledgeBase(row)
	})
	return list, failure(err)
}

const updateKnowledgeBase = `
update knowledge_bases k
set display_name = coalesce(nullif($2, ''), case when $2 = '' then name else display_name end),
    answer_threshold = case when $3 then $4 else answer_threshold end
where name = $1 and delete_time is null
returning ` + knowledgeBaseColumns

// UpdateKnowledgeBase changes one. Returns NotFound if there is none.
func (s *Store) UpdateKnowledgeBase(ctx context.Context, name string, edit rag.KnowledgeBaseEdit) (rag.KnowledgeBase, error) {
	kb, err := scanKnowledgeBase(s.pool.QueryRow(ctx, updateKnowledgeBase, name, edit.DisplayName, edit.SetThreshold, edit.AnswerThreshold))
	if isAbsent(err) {
		err = noKnowledgeBase()
	}
	return kb, failure(err)
}

// AnswerThreshold returns the coverage from which on a knowledge base answers, nil for the service's own. Returns NotFound if
// there is none.
func (s *Store) AnswerThreshold(ctx context.Context, name string) (threshold *float64, err error) {
	err = s.pool.QueryRow(ctx, `select answer_threshold from knowledge_bases where name = $1 and delete_time is null`, name).Scan(&threshold)
	if isAbsent(err) {
		err = noKnowledgeBase()
	}
	return threshold, failure(err)
}

const deleteKnowledgeBase = `
update knowledge_bases set delete_time = now(), passage_count = 0 where name = $1 and delete_time is null
returning id`

// DeleteKnowledgeBase removes one with all its documents; a tombstone stays until RemoveKnowledgeBase. Returns NotFound
// if there is none.
func (s *Store) DeleteKnowledgeBase(ctx context.Context, name string) (rag.KnowledgeBaseID, error) {
	var id rag.KnowledgeBaseID
	err := s.within(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, deleteKnowledgeBase, name).Scan(&id); err != nil {
			return err
		}
		for _, statement := range []string{
			`delete from documents where knowledge_base_id = $1`,
			`delete from versions where knowledge_base_id = $1`,
			`delete from stem_counts where knowledge_base_id = $1`,
			`delete from unanswered_questions where knowledge_base_id = $1`,
			`delete from feedback where knowledge_base_id = $1`,
		} {
			if _, err := tx.Exec(ctx, statement, id); err != nil {
				return err
			}
		}
		return nil
	})
	if isAbsent(err) {
		return "", noKnowledgeBase()
	}
	return id, err
}

func scanKnowledgeBase(row pgx.Row) (kb rag.KnowledgeBase, err error) {
	err = row.Scan(&kb.ID, &kb.Name, &kb.DisplayName, &kb.DocumentCount, &kb.PassageCount, &kb.Reindexing,
		&kb.ReindexedCount, &kb.CreateTime, &kb.AnswerThreshold)
	return kb, err
}
