package postgres

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
)

const insertVersion = `
insert into versions (id, knowledge_base_id, state, hash, content, recipe)
select $1, id, 'pending', $3, $4, $5 from knowledge_bases where id = $2 and delete_time is null`

// AddVersion stores a content, with the passages that it has already; nothing finds it until Activate. Returns NotFound if
// the knowledge base is gone.
func (s *Store) AddVersion(ctx context.Context, v rag.Version) error {
	return s.within(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, insertVersion, v.ID, v.KnowledgeBase, v.Hash, v.Content, v.Recipe)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return noKnowledgeBase()
		}
		return copyPassages(ctx, tx, v.ID, 0, v.Passages)
	})
}

// AddPassages stores passages of a version that is not active yet, the first of which has the ordinal from. Returns
// NotFound if the version is gone with its knowledge base.
func (s *Store) AddPassages(ctx context.Context, id rag.VersionID, from int, passages []rag.Passage) error {
	err := copyPassages(ctx, s.pool, id, from, passages)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == foreignKeyViolation {
		return noKnowledgeBase()
	}
	return failure(err)
}

// foreignKeyViolation is a code of https://www.postgresql.org/docs/15/errcodes-appendix.html.
const foreignKeyViolation = "23503"

// copier is a pool or a transaction.
type copier interface {
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
}

func copyPassages(ctx context.Context, into copier, id rag.VersionID, from int, passages []rag.Passage) error {
	version, err := uuid.Parse(string(id))
	if err != nil {
		return err
	}
	_, err = into.CopyFrom(ctx, pgx.Identifier{"passages"},
		[]string{"id", "version_id", "ordinal", "heading_path", "text", "stems"},
		pgx.CopyFromSlice(len(passages), func(i int) ([]any, error) {
			p := passages[i]
			id, err := uuid.Parse(string(p.ID))
			return []any{[16]byte(id), [16]byte(version), from + i, notNil(p.HeadingPath), p.Text, notNil(p.Stems)}, err
		}))
	return err
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// Activated is the outcome of Activate.
type Activated struct {
	Document rag.Document
	// Unchanged says that the document had this content already, or a newer one; the version given is dead then.
	Unchanged bool
	// Replaced is the version that died, empty for a new document.
	Replaced rag.VersionID
}

const (
	lockKnowledgeBase = `select 1 from knowledge_bases where id = $1 and delete_time is null for update`

	currentVersion = `
select v.id, v.hash, v.recipe from documents d join versions v on v.id = d.version_id
where d.knowledge_base_id = $1 and d.name = $2`

	upsertDocument = `
insert into documents (knowledge_base_id, name, title, source_uri, content_type, version_id, version, passage_count,
    audience, trust)
values ($1, $2, $3, $4, $5, $6, 1, (select count(*) from passages where version_id = $6), $8, $9)
on conflict (knowledge_base_id, name) do update set
    title = excluded.title, source_uri = excluded.source_uri, content_type = excluded.content_type,
    audience = excluded.audience, trust = excluded.trust,
    version_id = excluded.version_id, passage_count = excluded.passage_count, update_time = now(),
    version = documents.version + $7
returning id`

	setState = `update versions set state = $2 where id = $1`

	addPassageCount = `
update knowledge_bases set passage_count = passage_count + (select count(*) from passages where version_id = $2) * $3
where id = $1`

	addStemCounts = `
insert into stem_counts as c (knowledge_base_id, stem, passages)
select $1, stem, count(*) from passages, unnest(stems) stem where version_id = $2 group by stem
on conflict (knowledge_base_id, stem) do update set passages = c.passages + excluded.passages`

	subtractStemCounts = `
update stem_counts c set passages = c.passages - old.passages
from (select stem, count(*) passages from passages, unnest(stems) stem where version_id = $2 group by stem) old
where c.knowledge_base_id = $1 and c.stem = old.stem`

	removeStemCounts = `
delete from stem_counts
where knowledge_base_id = $1 and passages = 0
  and stem in (select unnest(stems) from passages where version_id = $2)`
)

// Activate makes a version the current one of the document of its name, all at once: whoever searches sees the old
// content or the new one, never both and never neither. Uploads of the document that are older give way. Returns NotFound
// if the knowledge base is gone.
func (s *Store) Activate(ctx context.Context, v rag.Version) (out Activated, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		if v.Replaces == "" {
			if _, err := tx.Exec(ctx, supersedeOlder, v.KnowledgeBase, v.Name, v.ID); err != nil {
				return err
			}
		}
		out, err = activate(ctx, tx, v)
		return err
	})
	if err != nil {
		return Activated{}, err
	}
	out.Document, err = s.documentNamed(ctx, v.KnowledgeBase, v.Name)
	return out, err
}

// supersedeOlder comes before the lock of the knowledge base, as everywhere: otherwise two callers would wait for each other.
const supersedeOlder = `
update ingestions set state = 'superseded', content = null, lease_token = null, lease_time = null, update_time = clock_timestamp()
where knowledge_base_id = $1 and document_name = $2 and create_time < (select create_time from versions where id = $3) and ` + isOpen

// activate puts a version in the place of the current one, unless that has the same content.
func activate(ctx context.Context, tx pgx.Tx, v rag.Version) (out Activated, err error) {
	if err := lock(ctx, tx, v.KnowledgeBase); err != nil {
		return Activated{}, err
	}
	if err := checkGeneration(ctx, tx, v); err != nil {
		return Activated{}, err
	}
	var hash []byte
	var recipe string
	err = tx.QueryRow(ctx, currentVersion, v.KnowledgeBase, v.Name).Scan(&out.Replaced, &hash, &recipe)
	if err != nil && !isNoRows(err) {
		return Activated{}, err
	}
	sameContent := bytes.Equal(hash, v.Hash)
	overtaken := v.Replaces != "" && out.Replaced != v.Replaces
	if out.Unchanged = overtaken || sameContent && recipe == v.Recipe; out.Unchanged {
		out.Replaced = v.ID
		_, err := tx.Exec(ctx, setState, v.ID, "dead")
		return out, err
	}
	return out, switchTo(ctx, tx, v, out.Replaced, sameContent)
}

// checkGeneration refuses a version whose entries are in an index that is searched no more.
func checkGeneration(ctx context.Context, tx pgx.Tx, v rag.Version) error {
	var generation int
	err := tx.QueryRow(ctx, `select index_generation from knowledge_bases where id = $1`, v.KnowledgeBase).Scan(&generation)
	if err == nil && generation != v.Generation {
		return fault.New(fault.Unavailable, "INDEX_SWITCHED", "the search index was made anew meanwhile, try again")
	}
	return err
}

// lock makes changes of a knowledge base follow one another.
func lock(ctx context.Context, tx pgx.Tx, kb rag.KnowledgeBaseID) error {
	var one int
	err := tx.QueryRow(ctx, lockKnowledgeBase, kb).Scan(&one)
	if isNoRows(err) {
		return noKnowledgeBase()
	}
	return err
}

// switchTo puts version v in the place of old; the same content processed anew keeps its number.
func switchTo(ctx context.Context, tx pgx.Tx, v rag.Version, old rag.VersionID, sameContent bool) error {
	step := 1
	if sameContent {
		step = 0
	}
	if old != "" {
		if err := retire(ctx, tx, v.KnowledgeBase, old); err != nil {
			return err
		}
	}
	var id string
	if err := tx.QueryRow(ctx, upsertDocument, v.KnowledgeBase, v.Name, v.Title, v.SourceURI, v.Type, v.ID,
		step, v.Audience, v.Trust).Scan(&id); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, setState, v.ID, "active"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, addPassageCount, v.KnowledgeBase, v.ID, 1); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, addStemCounts, v.KnowledgeBase, v.ID)
	return err
}

// retire takes an active version out of the statistics and marks it dead.
func retire(ctx context.Context, tx pgx.Tx, kb rag.KnowledgeBaseID, version rag.VersionID) error {
	if _, err := tx.Exec(ctx, addPassageCount, kb, version, -1); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, subtractStemCounts, kb, version); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, removeStemCounts, kb, version); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, setState, version, "dead")
	return err
}

func (s *Store) documentNamed(ctx context.Context, kb rag.KnowledgeBaseID, name string) (rag.Document, error) {
	doc, err := scanDocument(s.pool.QueryRow(ctx, selectDocuments+`where d.knowledge_base_id = $1 and d.name = $2`, kb, name))
	if isNoRows(err) {
		err = noDocument() // deleted by another caller meanwhile
	}
	return doc, failure(err)
}

// DeleteDocument removes a document, gives up what was uploaded for it, and returns the version that died. Returns NotFound if there is none.
func (s *Store) DeleteDocument(ctx context.Context, id rag.DocumentID) (dead rag.Garbage, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		var name string
		err := tx.QueryRow(ctx, `select knowledge_base_id, name from documents where id = $1`, id).Scan(&dead.KnowledgeBase, &name)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, supersede, dead.KnowledgeBase, name, endOfTime); err != nil {
			return err
		}
		if err := lock(ctx, tx, dead.KnowledgeBase); err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `delete from documents where id = $1 returning version_id`, id).Scan(&dead.Version)
		if err != nil {
			return err
		}
		return retire(ctx, tx, dead.KnowledgeBase, dead.Version)
	})
	if isNoRows(err) {
		return rag.Garbage{}, noDocument()
	}
	return dead, err
}

// Discard marks a pending version dead: it will not be activated.
func (s *Store) Discard(ctx context.Context, version rag.VersionID) error {
	_, err := s.pool.Exec(ctx, `update versions set state = 'dead' where id = $1 and state = 'pending'`, version)
	return failure(err)
}

const selectGarbage = `
select knowledge_base_id, id from versions
where state = 'dead' or (state = 'pending' and create_time < now() - $1::interval)
order by create_time limit $2`

// Garbage returns versions whose entries are to be removed from the index: dead ones, and those left pending for longer
// than any ingestion takes.
func (s *Store) Garbage(ctx context.Context, pending time.Duration, limit int) ([]rag.Garbage, error) {
	rows, err := s.pool.Query(ctx, selectGarbage, pending, limit)
	if err != nil {
		return nil, failure(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[rag.Garbage])
	return list, failure(err)
}

// Remove forgets a version that is no longer in the index, content and all.
func (s *Store) Remove(ctx context.Context, version rag.VersionID) error {
	_, err := s.pool.Exec(ctx, `delete from versions where id = $1 and state <> 'active'`, version)
	return failure(err)
}

// DeletedKnowledgeBases returns tombstones whose tenant may still be in the index.
func (s *Store) DeletedKnowledgeBases(ctx context.Context) ([]rag.KnowledgeBaseID, error) {
	rows, err := s.pool.Query(ctx, `select id from knowledge_bases where delete_time is not null limit 100`)
	if err != nil {
		return nil, failure(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[rag.KnowledgeBaseID])
	return list, failure(err)
}

// RemoveKnowledgeBase forgets a tombstone.
func (s *Store) RemoveKnowledgeBase(ctx context.Context, id rag.KnowledgeBaseID) error {
	_, err := s.pool.Exec(ctx, `delete from knowledge_bases where id = $1 and delete_time is not null`, id)
	return failure(err)
}
