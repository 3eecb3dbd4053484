package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	rag "github.com/knobot/knobot/services/rag"
)

const (
	documentColumns = `
select d.id, k.name, d.name, d.title, d.source_uri, d.content_type, d.version, d.passage_count, d.create_time,
       d.update_time, d.audience, d.trust, `
	documentTables = `
from documents d
join knowledge_bases k on k.id = d.knowledge_base_id and k.delete_time is null
join versions v on v.id = d.version_id `

	selectDocument  = documentColumns + `v.content` + documentTables
	selectDocuments = documentColumns + `null::bytea` + documentTables
)

// Document returns one with its content. Returns NotFound if there is none.
func (s *Store) Document(ctx context.Context, id rag.DocumentID) (rag.Document, error) {
	doc, err := scanDocument(s.pool.QueryRow(ctx, selectDocument+`where d.id = $1`, id))
	if isNoRows(err) {
		err = noDocument()
	}
	return doc, failure(err)
}

// Unchanged returns the document of this name if its current content was made of the same bytes in the same way.
func (s *Store) Unchanged(ctx context.Context, v rag.Version) (doc rag.Document, same bool, err error) {
	doc, err = scanDocument(s.pool.QueryRow(ctx, selectDocuments+`
where d.knowledge_base_id = $1 and d.name = $2 and v.hash = $3 and v.recipe = $4`,
		v.KnowledgeBase, v.Name, v.Hash, v.Recipe))
	if isNoRows(err) {
		return rag.Document{}, false, nil
	}
	return doc, err == nil, failure(err)
}

// Documents lists up to limit of a knowledge base's by name, those after a name, without content.
func (s *Store) Documents(ctx context.Context, kb rag.KnowledgeBaseID, after string, limit int) ([]rag.Document, error) {
	rows, err := s.pool.Query(ctx, selectDocuments+`
where d.knowledge_base_id = $1 and d.name > $2 order by d.name limit $3`, kb, after, limit)
	if err != nil {
		return nil, failure(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (rag.Document, error) { return scanDocument(row) })
	return list, failure(err)
}

func scanDocument(row pgx.Row) (d rag.Document, err error) {
	err = row.Scan(&d.ID, &d.KnowledgeBase, &d.Name, &d.Title, &d.SourceURI, &d.Type, &d.Version, &d.PassageCount,
		&d.CreateTime, &d.UpdateTime, &d.Audience, &d.Trust, &d.Content)
	return d, err
}
