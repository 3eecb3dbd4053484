package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
)

const insertSource = `
insert into sources (knowledge_base_id, url, kind, audience, trust, refresh_interval)
select id, $2, $3, $4, $5, $6::interval from knowledge_bases where name = $1 and delete_time is null
on conflict (knowledge_base_id, url) do nothing
returning id`

// CreateSource adds one, due at once. Returns Conflict if the knowledge base has its address. The knowledge base has to be
// there.
func (s *Store) CreateSource(ctx context.Context, source rag.Source) (rag.Source, error) {
	var id rag.SourceID
	err := s.pool.QueryRow(ctx, insertSource, source.KnowledgeBase, source.URL, source.Kind, source.Audience, source.Trust,
		source.Interval).Scan(&id)
	if isNoRows(err) {
		return rag.Source{}, fault.New(fault.Conflict, "SOURCE_EXISTS", "the knowledge base has a source with this address already")
	}
	if err != nil {
		return rag.Source{}, failure(err)
	}
	return s.Source(ctx, id)
}

const selectSources = `
select s.id, k.name, s.url, s.kind, s.audience, s.trust, s.refresh_interval, s.start_time is not null,
       (select count(*) from source_pages p where p.source_id = s.id),
       (select count(*) from source_pages p where p.source_id = s.id and p.reason <> ''),
       s.reason, s.message, coalesce(s.refresh_time, '0001-01-01 00:00:00+00'), s.due_time, s.create_time
from sources s join knowledge_bases k on k.id = s.knowledge_base_id and k.delete_time is null `

func scanSource(row pgx.Row) (s rag.Source, err error) {
	err = row.Scan(&s.ID, &s.KnowledgeBase, &s.URL, &s.Kind, &s.Audience, &s.Trust, &s.Interval, &s.Refreshing, &s.PageCount,
		&s.FailedPageCount, &s.Reason, &s.Message, &s.RefreshTime, &s.NextRefreshTime, &s.CreateTime)
	return s, err
}

// Source returns one. Returns NotFound if there is none.
func (s *Store) Source(ctx context.Context, id rag.SourceID) (rag.Source, error) {
	source, err := scanSource(s.pool.QueryRow(ctx, selectSources+`where s.id = $1`, id))
	if isNoRows(err) {
		err = noSource()
	}
	return source, failure(err)
}

func noSource() error {
	return fault.New(fault.NotFound, "SOURCE_NOT_FOUND", "there is no source with this id")
}

// Sources lists up to limit of a knowledge base's by address, those after one.
func (s *Store) Sources(ctx context.Context, kb rag.KnowledgeBaseID, after string, limit int) ([]rag.Source, error) {
	rows, err := s.pool.Query(ctx, selectSources+`
where s.knowledge_base_id = $1 and s.url > $2 order by s.url limit $3`, kb, after, limit)
	if err != nil {
		return nil, failure(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (rag.Source, error) { return scanSource(row) })
	return list, failure(err)
}

// RequestRefresh makes a source due now, also if it is being refreshed.
func (s *Store) RequestRefresh(ctx context.Context, id rag.SourceID) error {
	_, err := s.pool.Exec(ctx, `update sources set due_time = clock_timestamp() where id = $1`, id)
	return failure(err)
}

const selectOwnPages = `
select p.document_name from source_pages p
where p.source_id = $1 and not exists (
    select 1 from source_pages o join sources s on s.id = o.source_id
    where o.document_name = p.document_name and o.source_id <> p.source_id and s.knowledge_base_id = $2)`

// DeleteSource removes one, and returns the names of the documents that no other source of its knowledge base has. Returns
// NotFound if there is none.
func (s *Store) DeleteSource(ctx context.Context, id rag.SourceID) (kb rag.KnowledgeBaseID, documents []string, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `select knowledge_base_id from sources where id = $1 for update`, id).Scan(&kb)
		if isNoRows(err) {
			return noSource()
		}
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, selectOwnPages, id, kb)
		if err != nil {
			return err
		}
		if documents, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `delete from sources where id = $1`, id)
		return err
	})
	return kb, documents, err
}

// DocumentNamed returns the id of a document. found is false if there is none.
func (s *Store) DocumentNamed(ctx context.Context, kb rag.KnowledgeBaseID, name string) (id rag.DocumentID, found bool, err error) {
	err = s.pool.QueryRow(ctx, `select id from documents where knowledge_base_id = $1 and name = $2`, kb, name).Scan(&id)
	if isNoRows(err) {
		return "", false, nil
	}
	return id, err == nil, failure(err)
}

const claimSource = `
with due as (
    select s.id from sources s join knowledge_bases k on k.id = s.knowledge_base_id and k.delete_time is null
    where s.due_time <= now() and (s.lease_time is null or s.lease_time < now())
    order by s.due_time limit 1 for update of s skip locked)
update sources s set lease_token = gen_random_uuid(), lease_time = now() + $1::interval,
    start_time = coalesce(s.start_time, clock_timestamp())
from due, knowledge_bases k where s.id = due.id and k.id = s.knowledge_base_id
returning s.id, k.name, k.id, s.url, s.kind, s.audience, s.trust, s.refresh_interval, s.lease_token::text, s.start_time`

// ClaimSource leases the source that is due for longest. found is false if none is.
func (s *Store) ClaimSource(ctx context.Context, lease time.Duration) (c rag.Crawl, found bool, err error) {
	err = s.pool.QueryRow(ctx, claimSource, lease).Scan(&c.ID, &c.KnowledgeBase, &c.KnowledgeBaseID, &c.URL, &c.Kind, &c.Audience, &c.Trust,
		&c.Interval, &c.Lease, &c.StartTime)
	if isNoRows(err) {
		return rag.Crawl{}, false, nil
	}
	return c, err == nil, failure(err)
}

// holding runs a statement on a source that the lease holds. Returns ErrLeaseLost if it changed nothing.
func (s *Store) holding(ctx context.Context, statement string, c rag.Crawl, more ...any) error {
	tag, err := s.pool.Exec(ctx, statement, append([]any{c.ID, c.Lease}, more...)...)
	if err == nil && tag.RowsAffected() == 0 {
		return ErrLeaseLost
	}
	return failure(err)
}

const (
	renewSource = `update sources set lease_time = now() + $3::interval where id = $1 and lease_token = $2`

	releaseSource = `update sources set lease_token = null, lease_time = null where id = $1 and lease_token = $2`

	// A refresh that was asked for meanwhile is due at once.
	finishSource = `
update sources set lease_token = null, lease_time = null, start_time = null, refresh_time = clock_timestamp(), reason = $3,
    message = $4, due_time = case when due_time > start_time then due_time else clock_timestamp() + $5::interval end
where id = $1 and lease_token = $2`

	savePage = `
insert into source_pages (source_id, url, document_name, etag, last_modified, reason, message, fetch_time)
select id, $3, $4, $5, $6, $7, $8, case when $9 then clock_timestamp() else to_timestamp(0) end
from sources where id = $1 and lease_token = $2
on conflict (source_id, url) do update set document_name = excluded.document_name, etag = excluded.etag,
    last_modified = excluded.last_modified, reason = excluded.reason, message = excluded.message,
    fetch_time = excluded.fetch_time`
)

// RenewSource keeps a source for another lease. Returns ErrLeaseLost.
func (s *Store) RenewSource(ctx context.Context, c rag.Crawl, lease time.Duration) error {
	return s.holding(ctx, renewSource, c, lease)
}

// ReleaseSource gives a source back whose refresh is not finished. Returns ErrLeaseLost.
func (s *Store) ReleaseSource(ctx context.Context, c rag.Crawl) error {
	return s.holding(ctx, releaseSource, c)
}

// FinishSource ends a refresh; the next one begins after a pause. Returns ErrLeaseLost.
func (s *Store) FinishSource(ctx context.Context, c rag.Crawl, reason, message string, pause time.Duration) error {
	return s.holding(ctx, finishSource, c, reason, message, pause)
}

// SavePage records a page, and whether this refresh is done with it. Returns ErrLeaseLost, recording nothing, if the source
// is not held any more.
func (s *Store) SavePage(ctx context.Context, c rag.Crawl, p rag.SourcePage, done bool) error {
	return s.holding(ctx, savePage, c, p.URL, p.DocumentName, p.ETag, p.LastModified, p.Reason, p.Message, done)
}

// RemovePage forgets a page.
func (s *Store) RemovePage(ctx context.Context, c rag.Crawl, url string) error {
	_, err := s.pool.Exec(ctx, `delete from source_pages where source_id = $1 and url = $2`, c.ID, url)
	return failure(err)
}

// A page without a document, but with one that could not be read, is asked for by what it was: only a change can cure it.
const selectPages = `
select p.url, p.document_name, case when known then p.etag else '' end, case when known then p.last_modified else '' end,
       p.reason, p.message, p.fetch_time
from source_pages p
join sources s on s.id = p.source_id
cross join lateral (select exists (
        select 1 from documents d where d.knowledge_base_id = s.knowledge_base_id and d.name = p.document_name)
    or exists (
        select 1 from ingestions i where i.knowledge_base_id = s.knowledge_base_id and i.document_name = p.document_name
          and i.state in ('queued', 'reading', 'indexing', 'failed')) known) is_known
where p.source_id = $1 and p.url > $2 order by p.url limit $3`

// SourcePages lists up to limit pages of a source by address, those after one.
func (s *Store) SourcePages(ctx context.Context, id rag.SourceID, after string, limit int) ([]rag.SourcePage, error) {
	rows, err := s.pool.Query(ctx, selectPages, id, after, limit)
	if err != nil {
		return nil, failure(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p rag.SourcePage, err error) {
		err = row.Scan(&p.URL, &p.DocumentName, &p.ETag, &p.LastModified, &p.Reason, &p.Message, &p.FetchTime)
		return p, err
	})
	return list, failure(err)
}
