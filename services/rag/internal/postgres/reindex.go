package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	rag "github.com/knobot/knobot/services/rag"
)

const selectPlacements = `
select id, passage_count, index_generation, index_analyzer, index_model, coalesce(next_generation, 0), next_analyzer, next_model
from knowledge_bases `

func scanPlacement(row pgx.CollectableRow) (p rag.Placement, err error) {
	err = row.Scan(&p.KnowledgeBase, &p.Passages, &p.Generation, &p.Analyzer, &p.Model, &p.Next, &p.NextSpec.Analyzer, &p.NextSpec.Model)
	return p, err
}

// Placements says of every knowledge base where its entries are.
func (s *Store) Placements(ctx context.Context) ([]rag.Placement, error) {
	rows, err := s.pool.Query(ctx, selectPlacements+`where delete_time is null order by name`)
	if err != nil {
		return nil, failure(err)
	}
	list, err := pgx.CollectRows(rows, scanPlacement)
	return list, failure(err)
}

// Placement says it of one, also of a deleted one. Returns NotFound if it is gone.
func (s *Store) Placement(ctx context.Context, kb rag.KnowledgeBaseID) (rag.Placement, error) {
	rows, err := s.pool.Query(ctx, selectPlacements+`where id = $1`, kb)
	if err != nil {
		return rag.Placement{}, failure(err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanPlacement)
	if isNoRows(err) {
		err = noKnowledgeBase()
	}
	return p, failure(err)
}

const startReindex = `
update knowledge_bases k
set next_generation = coalesce(k.next_generation, k.index_generation + 1),
    next_analyzer = case when k.next_generation is null then s.analyzer else k.next_analyzer end,
    next_model = case when k.next_generation is null then s.model else k.next_model end
from index_spec s
where k.name = $1 and k.delete_time is null returning k.id`

// StartReindex has an index made beside the one that answers; if one is being made, it goes on. Returns NotFound if there is
// no such knowledge base.
func (s *Store) StartReindex(ctx context.Context, name string) error {
	var id string
	err := s.pool.QueryRow(ctx, startReindex, name).Scan(&id)
	if isAbsent(err) {
		return noKnowledgeBase()
	}
	return failure(err)
}

const selectUnfilled = `
select d.version_id from documents d
where d.knowledge_base_id = $1
  and not exists (select 1 from index_fills f where f.version_id = d.version_id and f.generation = $2)
order by d.name limit $3`

// Unfilled returns current versions that a generation of the index does not hold yet.
func (s *Store) Unfilled(ctx context.Context, kb rag.KnowledgeBaseID, generation, limit int) ([]rag.VersionID, error) {
	rows, err := s.pool.Query(ctx, selectUnfilled, kb, generation, limit)
	if err != nil {
		return nil, failure(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[rag.VersionID])
	return list, failure(err)
}

// MarkFilled records that a generation of the index holds a version, unless that is gone.
func (s *Store) MarkFilled(ctx context.Context, version rag.VersionID, generation int) error {
	_, err := s.pool.Exec(ctx, `
insert into index_fills (version_id, generation) select id, $2 from versions where id = $1 on conflict do nothing`, version, generation)
	return failure(err)
}

const switchIndex = `
update knowledge_bases k
set index_generation = next_generation, index_analyzer = next_analyzer, index_model = next_model,
    next_generation = null, next_analyzer = '', next_model = ''
where k.id = $1 and k.next_generation = $2 and not exists (
    select 1 from documents d where d.knowledge_base_id = k.id and not exists (
        select 1 from index_fills f where f.version_id = d.version_id and f.generation = $2))`

// SwitchIndex makes the next generation the one that is searched, if it holds every document; the old one becomes garbage.
// No document changes meanwhile.
func (s *Store) SwitchIndex(ctx context.Context, p rag.Placement) (switched bool, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		if err := lock(ctx, tx, p.KnowledgeBase); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, switchIndex, p.KnowledgeBase, p.Next)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		switched = true
		if _, err := tx.Exec(ctx, `
delete from index_fills f using versions v
where v.id = f.version_id and v.knowledge_base_id = $1`, p.KnowledgeBase); err != nil {
			return err
		}
		return addGarbage(ctx, tx, p.Live())
	})
	return switched, err
}

// GarbageTenants returns tenants that have not been searched for some time.
func (s *Store) GarbageTenants(ctx context.Context, age time.Duration) ([]rag.Tenant, error) {
	rows, err := s.pool.Query(ctx, `select tenant, analyzer, model from index_garbage where create_time < now() - $1::interval limit 100`, age)
	if err != nil {
		return nil, failure(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t rag.Tenant, err error) {
		err = row.Scan(&t.Name, &t.Analyzer, &t.Model)
		return t, err
	})
	return list, failure(err)
}

// RemoveTenant forgets a tenant that is no longer in the index.
func (s *Store) RemoveTenant(ctx context.Context, tenant rag.Tenant) error {
	_, err := s.pool.Exec(ctx, `delete from index_garbage where tenant = $1`, tenant.Name)
	return failure(err)
}

func addGarbage(ctx context.Context, tx pgx.Tx, tenant rag.Tenant) error {
	_, err := tx.Exec(ctx, `insert into index_garbage (tenant, analyzer, model) values ($1, $2, $3) on conflict do nothing`,
		tenant.Name, tenant.Analyzer, tenant.Model)
	return err
}

const claimEmpty = `
update knowledge_bases k set index_analyzer = $1, index_model = $2
where k.next_generation is null and not exists (select 1 from versions v where v.knowledge_base_id = k.id)`

// ClaimSpec says how indexes shall be made from now on. Knowledge bases with nothing in them have such a one at once.
func (s *Store) ClaimSpec(ctx context.Context, spec rag.IndexSpec) error {
	return s.within(ctx, func(tx pgx.Tx) error {
		for _, statement := range []string{`update index_spec set analyzer = $1, model = $2`, claimEmpty} {
			if _, err := tx.Exec(ctx, statement, spec.Analyzer, spec.Model); err != nil {
				return err
			}
		}
		return nil
	})
}

const (
	selectOfAnotherSpec = selectPlacements + `
where delete_time is null
  and not exists (
    select 1 from index_spec s
    where s.analyzer = case when next_generation is null then index_analyzer else next_analyzer end
      and s.model = case when next_generation is null then index_model else next_model end)
order by id for update`

	startSpec = `
update knowledge_bases k
set next_generation = coalesce(k.next_generation, k.index_generation) + 1, next_analyzer = s.analyzer, next_model = s.model
from index_spec s
where k.id = $1`
)

// AdoptSpec has an index made as claimed for every knowledge base that has another; what was being made in another way becomes
// garbage.
func (s *Store) AdoptSpec(ctx context.Context) error {
	return s.within(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, selectOfAnotherSpec)
		if err != nil {
			return err
		}
		others, err := pgx.CollectRows(rows, scanPlacement)
		if err != nil {
			return err
		}
		for _, p := range others {
			if _, err := tx.Exec(ctx, startSpec, p.KnowledgeBase); err != nil {
				return err
			}
			if p.Next != 0 {
				if err := addGarbage(ctx, tx, p.Beside()); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
