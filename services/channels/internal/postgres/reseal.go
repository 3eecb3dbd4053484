package postgres

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/services/channels"
)

// reSealBatch is how many secrets are read at a time.
const reSealBatch = 500

const selectSealed = `
select integration_id::text, ordinal, field, sealed
from secrets
where (integration_id, ordinal) > ($1::uuid, $2::integer)
order by integration_id, ordinal
limit $3`

// A secret that somebody changed meanwhile is sealed by the primary key already and is left alone.
const updateSealed = `update secrets set sealed = $4 where integration_id = $1 and ordinal = $2 and sealed = $3`

// sealedRow is a secret as it is stored.
type sealedRow struct {
	IntegrationID string `db:"integration_id"`
	Ordinal       int    `db:"ordinal"`
	Field         string `db:"field"`
	Sealed        []byte `db:"sealed"`
}

// ReSeal seals every secret with the primary key that another one sealed, those of tombstones too, and says which keys seal
// how many then. With countOnly it stores nothing. Nobody who watches integrations hears of it: the secrets are the same.
func (s *Store) ReSeal(ctx context.Context, countOnly bool) (channels.Sealing, error) {
	run := newReSealing(s, countOnly)
	after := sealedRow{IntegrationID: "00000000-0000-0000-0000-000000000000"}
	for {
		rows, err := s.pool.Query(ctx, selectSealed, after.IntegrationID, after.Ordinal, reSealBatch)
		if err != nil {
			return channels.Sealing{}, failed("read sealed secrets", err)
		}
		batch, err := pgx.CollectRows(rows, pgx.RowToStructByName[sealedRow])
		if err != nil {
			return channels.Sealing{}, failed("read sealed secrets", err)
		}
		for _, row := range batch {
			if err := run.take(ctx, row); err != nil {
				return channels.Sealing{}, err
			}
		}
		if len(batch) < reSealBatch {
			return run.report(), nil
		}
		after = batch[len(batch)-1]
	}
}

// reSealing is one run over all secrets.
type reSealing struct {
	store     *Store
	countOnly bool
	known     []uint32
	primary   uint32
	counts    map[uint32]int
	out       channels.Sealing
}

func newReSealing(s *Store, countOnly bool) *reSealing {
	r := &reSealing{store: s, countOnly: countOnly, counts: map[uint32]int{}}
	r.known, r.primary = s.sealer.Keys()
	for _, id := range r.known {
		r.counts[id] = 0
	}
	return r
}

// take counts a secret by its key, after sealing it again where that is wanted.
func (r *reSealing) take(ctx context.Context, row sealedRow) error {
	key := r.store.sealer.KeyOf(row.Sealed)
	secret, err := r.store.sealer.Open(row.Sealed, row.IntegrationID, row.Field)
	switch {
	case err != nil:
		r.out.Unreadable++
	case key != r.primary && !r.countOnly:
		if err := r.store.sealAgain(ctx, row, secret); err != nil {
			return err
		}
		r.out.ReSealed++
		key = r.primary
	}
	r.counts[key]++
	return nil
}

func (s *Store) sealAgain(ctx context.Context, row sealedRow, secret string) error {
	sealed, err := s.sealer.Seal(secret, row.IntegrationID, row.Field)
	if err != nil {
		return err
	}
	if _, err := s.pool.Exec(ctx, updateSealed, row.IntegrationID, row.Ordinal, row.Sealed, sealed); err != nil {
		return failed("seal a secret again", err)
	}
	return nil
}

func (r *reSealing) report() channels.Sealing {
	for id, n := range r.counts {
		r.out.Keys = append(r.out.Keys, channels.SealingKey{
			ID: id, Primary: id == r.primary, Known: slices.Contains(r.known, id), Secrets: n,
		})
	}
	slices.SortFunc(r.out.Keys, func(a, b channels.SealingKey) int { return cmp.Compare(a.ID, b.ID) })
	return r.out
}
