package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	rag "github.com/knobot/knobot/services/rag"
)

const selectContents = `
select id, version_id, ordinal, heading_path, text, stems from passages where id = any($1::text[]::uuid[])`

// The documents are found by version first whatever the planner knows: before it has statistics it went through all of a
// knowledge base.
const selectHolders = `
with d as materialized (select * from documents where version_id = any($1::text[]::uuid[]))
select k.xmin::text, d.version_id, d.id, d.name, d.title, d.source_uri
from knowledge_bases k
left join d on d.knowledge_base_id = k.id and d.audience = 'public' and d.trust = 'company'
where k.id = $2 and k.delete_time is null`

// Passages returns those of the ids that belong to a current document of the knowledge base which customers may be answered
// from, by id. What the index still holds of replaced and deleted documents is not among them.
//
// revision is the knowledge base's, as Statistics has it; empty if there is none any more.
//
// What stands in a passage never changes, and is kept in memory; whether anybody may be told is asked every time.
func (s *Store) Passages(ctx context.Context, kb rag.KnowledgeBaseID, ids []rag.PassageID) (
	out map[rag.PassageID]rag.Passage, revision string, err error,
) {
	contents, err := s.contentsOf(ctx, ids)
	if err != nil {
		return nil, "", err
	}
	holders, revision, err := s.holders(ctx, kb, contents)
	if err != nil {
		return nil, "", err
	}
	out = make(map[rag.PassageID]rag.Passage, len(contents))
	for _, c := range contents {
		d, current := holders[c.version]
		if !current {
			s.contents.Remove(c.ID)
			continue
		}
		p := c.Passage
		p.Document, p.DocumentName, p.Title, p.SourceURI = d.Document, d.DocumentName, d.Title, d.SourceURI
		out[p.ID] = p
	}
	return out, revision, nil
}

// content is a passage without its document, and the version that it is of. Nobody changes its lists.
type content struct {
	rag.Passage
	version rag.VersionID
}

// contentsOf returns what stands in passages of any version; unknown ids are left out.
func (s *Store) contentsOf(ctx context.Context, ids []rag.PassageID) ([]content, error) {
	out := make([]content, 0, len(ids))
	var missing []string
	for _, id := range ids {
		if c, ok := s.contents.Get(id); ok {
			out = append(out, c)
			continue
		}
		missing = append(missing, string(id))
	}
	if len(missing) == 0 {
		return out, nil
	}
	rows, err := s.pool.Query(ctx, selectContents, missing)
	if err != nil {
		return nil, failure(err)
	}
	var c content
	_, err = pgx.ForEachRow(rows, []any{&c.ID, &c.version, &c.Ordinal, &c.HeadingPath, &c.Text, &c.Stems}, func() error {
		s.contents.Add(c.ID, c)
		out = append(out, c)
		c.HeadingPath, c.Stems = nil, nil // Scan must not write into what was kept
		return nil
	})
	return out, failure(err)
}

// holders returns the documents whose current version one of the passages is of, by that version.
func (s *Store) holders(ctx context.Context, kb rag.KnowledgeBaseID, contents []content) (
	out map[rag.VersionID]rag.Passage, revision string, err error,
) {
	versions := make([]string, 0, len(contents))
	for _, c := range contents {
		if !slices.Contains(versions, string(c.version)) {
			versions = append(versions, string(c.version))
		}
	}
	out = make(map[rag.VersionID]rag.Passage, len(versions))
	rows, err := s.pool.Query(ctx, selectHolders, versions, kb)
	if err != nil {
		return nil, "", failure(err)
	}
	var version, document, name, title, source *string
	_, err = pgx.ForEachRow(rows, []any{&revision, &version, &document, &name, &title, &source}, func() error {
		if version != nil {
			out[rag.VersionID(*version)] = rag.Passage{
				Document: rag.DocumentID(*document), DocumentName: *name, Title: *title, SourceURI: *source,
			}
		}
		return nil
	})
	return out, revision, failure(err)
}

const selectLive = `
with p as materialized (select id, version_id from passages where id = any($1::text[]::uuid[]))
select p.id
from p
join documents d on d.version_id = p.version_id
join knowledge_bases k on k.id = d.knowledge_base_id and k.delete_time is null
where k.name = $2 and d.audience = 'public' and d.trust = 'company'`

// Live returns those of the ids that customers of a knowledge base may still be answered from, as Passages does.
func (s *Store) Live(ctx context.Context, knowledgeBase string, ids []rag.PassageID) (map[rag.PassageID]bool, error) {
	out := map[rag.PassageID]bool{}
	rows, err := s.pool.Query(ctx, selectLive, uuids(ids), knowledgeBase)
	if err != nil {
		return nil, failure(err)
	}
	var id rag.PassageID
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		out[id] = true
		return nil
	})
	if isAbsent(err) {
		return out, nil
	}
	return out, failure(err)
}

const selectActiveVersions = `
select d.version_id from documents d where d.knowledge_base_id = $1 order by d.name`

// ActiveVersions returns the current version of every document of a knowledge base.
func (s *Store) ActiveVersions(ctx context.Context, kb rag.KnowledgeBaseID) ([]rag.VersionID, error) {
	rows, err := s.pool.Query(ctx, selectActiveVersions, kb)
	if err != nil {
		return nil, failure(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[rag.VersionID])
	return list, failure(err)
}

const selectOutdated = `
select v.id from versions v where v.state = 'active' and v.recipe <> $1 order by v.create_time`

// Outdated returns current versions whose passages were made by another recipe.
func (s *Store) Outdated(ctx context.Context, recipe string) ([]rag.VersionID, error) {
	rows, err := s.pool.Query(ctx, selectOutdated, recipe)
	if err != nil {
		return nil, failure(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[rag.VersionID])
	return list, failure(err)
}

const selectVersion = `
select v.id, v.knowledge_base_id, d.name, d.title, d.source_uri, d.content_type, d.audience, d.trust, v.hash, v.content, v.recipe
from versions v
join documents d on d.version_id = v.id
where v.id = $1`

const selectVersionPassages = `
select id, heading_path, text, stems from passages where version_id = $1 order by ordinal`

// Version returns a current version with its passages; found is false if it is not current any more.
func (s *Store) Version(ctx context.Context, id rag.VersionID) (v rag.Version, found bool, err error) {
	err = s.pool.QueryRow(ctx, selectVersion, id).Scan(&v.ID, &v.KnowledgeBase, &v.Name, &v.Title, &v.SourceURI, &v.Type,
		&v.Audience, &v.Trust, &v.Hash, &v.Content, &v.Recipe)
	if isNoRows(err) {
		return rag.Version{}, false, nil
	}
	if err != nil {
		return rag.Version{}, false, failure(err)
	}
	rows, err := s.pool.Query(ctx, selectVersionPassages, id)
	if err != nil {
		return rag.Version{}, false, failure(err)
	}
	v.Passages, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p rag.Passage, err error) {
		err = row.Scan(&p.ID, &p.HeadingPath, &p.Text, &p.Stems)
		return p, err
	})
	return v, err == nil, failure(err)
}
