package postgres

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
)

// ErrLeaseLost says that another worker holds the job, or nobody: it was superseded.
var ErrLeaseLost = errors.New("postgres: the lease of the ingestion is lost")

// isOpen is the predicate of the indexes of ingestions that have not ended.
const isOpen = `state in ('queued', 'reading', 'indexing')`

const (
	// lockName makes uploads of one document follow one another, also of one that does not exist yet.
	lockName = `select pg_advisory_xact_lock(hashtextextended($1::text || '/' || $2, 0))`

	selectSame = `
select id from ingestions where knowledge_base_id = $1 and document_name = $2 and hash = $3 and ` + isOpen

	supersede = `
update ingestions set state = 'superseded', content = null, lease_token = null, lease_time = null, update_time = clock_timestamp()
where knowledge_base_id = $1 and document_name = $2 and create_time < $3 and ` + isOpen

	selectUnchanged = `
select d.id from documents d join versions v on v.id = d.version_id
where d.knowledge_base_id = $1 and d.name = $2 and v.hash = $3 and v.recipe = $4`

	insertIngestion = `
insert into ingestions (knowledge_base_id, document_name, title, source_uri, content_type, audience, trust, hash, content,
    state, document_id, unchanged)
select id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 from knowledge_bases where id = $1 and delete_time is null
returning id`
)

// Submit queues a content, in the place of others of its document that have not ended. If the document has this content
// already, what it returns is done; if the same content waits already, it returns that. Returns NotFound if the
// knowledge base is gone.
func (s *Store) Submit(ctx context.Context, v rag.Version) (rag.Ingestion, error) {
	var id rag.IngestionID
	err := s.within(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockName, v.KnowledgeBase, v.Name); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, selectSame, v.KnowledgeBase, v.Name, v.Hash).Scan(&id)
		if !isNoRows(err) {
			return err
		}
		id, err = insert(ctx, tx, v)
		return err
	})
	if err != nil {
		return rag.Ingestion{}, err
	}
	return s.Ingestion(ctx, id)
}

func insert(ctx context.Context, tx pgx.Tx, v rag.Version) (id rag.IngestionID, err error) {
	if _, err := tx.Exec(ctx, supersede, v.KnowledgeBase, v.Name, endOfTime); err != nil {
		return "", err
	}
	state, content := rag.Queued, v.Content
	var document *rag.DocumentID
	err = tx.QueryRow(ctx, selectUnchanged, v.KnowledgeBase, v.Name, v.Hash, v.Recipe).Scan(&document)
	if err != nil && !isNoRows(err) {
		return "", err
	}
	if document != nil {
		state, content = rag.Done, nil
	} else if content == nil {
		content = []byte{}
	}
	err = tx.QueryRow(ctx, insertIngestion, v.KnowledgeBase, v.Name, v.Title, v.SourceURI, v.Type, v.Audience, v.Trust, v.Hash,
		content, state, document, document != nil).Scan(&id)
	if isNoRows(err) {
		return "", noKnowledgeBase()
	}
	return id, err
}

// endOfTime is later than every upload.
var endOfTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

const selectIngestions = `
select i.id, k.name, i.document_name, i.state, i.passages_done, i.passages_total, coalesce(i.document_id::text, ''), i.unchanged,
       i.reason, i.message, i.attempts, i.create_time, i.update_time
from ingestions i join knowledge_bases k on k.id = i.knowledge_base_id and k.delete_time is null `

func scanIngestion(row pgx.Row) (i rag.Ingestion, err error) {
	err = row.Scan(&i.ID, &i.KnowledgeBase, &i.DocumentName, &i.State, &i.PassagesDone, &i.PassagesTotal, &i.Document, &i.Unchanged,
		&i.Reason, &i.Message, &i.Attempts, &i.CreateTime, &i.UpdateTime)
	return i, err
}

// Ingestion returns one. Returns NotFound if there is none.
func (s *Store) Ingestion(ctx context.Context, id rag.IngestionID) (rag.Ingestion, error) {
	i, err := scanIngestion(s.pool.QueryRow(ctx, selectIngestions+`where i.id = $1`, id))
	if isNoRows(err) {
		err = fault.New(fault.NotFound, "INGESTION_NOT_FOUND", "there is no ingestion with this id")
	}
	return i, failure(err)
}

// Ingestions lists up to limit of a knowledge base's, newest first, those before the one that IngestionCursor names.
func (s *Store) Ingestions(ctx context.Context, kb rag.KnowledgeBaseID, before string, limit int) ([]rag.Ingestion, error) {
	created, id := parseCursor(before)
	rows, err := s.pool.Query(ctx, selectIngestions+`
where i.knowledge_base_id = $1 and (i.create_time, i.id) < ($2, $3) order by i.create_time desc, i.id desc limit $4`,
		kb, created, id, limit)
	if err != nil {
		return nil, failure(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (rag.Ingestion, error) { return scanIngestion(row) })
	return list, failure(err)
}

// IngestionCursor names the place of an ingestion in the list.
func IngestionCursor(i rag.Ingestion) string {
	return strconv.FormatInt(i.CreateTime.UnixMicro(), 10) + "/" + string(i.ID)
}

// parseCursor takes what is no cursor for the beginning of the list.
func parseCursor(cursor string) (created time.Time, id string) {
	micros, id, _ := strings.Cut(cursor, "/")
	n, err := strconv.ParseInt(micros, 10, 64)
	if err != nil || uuid.Validate(id) != nil {
		return endOfTime, uuid.Max.String()
	}
	return time.UnixMicro(n), id
}
