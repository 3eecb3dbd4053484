package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/platform/sealing"
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
func (s *Store) ReSeal(ctx context.Context, countOnly bool) (sealing.Report, error) {
	run := sealing.NewReSealing(s.sealer, countOnly)
	after := sealedRow{IntegrationID: "00000000-0000-0000-0000-000000000000"}
	for {
		rows, err := s.pool.Query(ctx, selectSealed, after.IntegrationID, after.Ordinal, reSealBatch)
		if err != nil {
			return sealing.Report{}, failed("read sealed secrets", err)
		}
		batch, err := pgx.CollectRows(rows, pgx.RowToStructByName[sealedRow])
		if err != nil {
			return sealing.Report{}, failed("read sealed secrets", err)
		}
		for _, row := range batch {
			if err := s.sealAgain(ctx, run, row); err != nil {
				return sealing.Report{}, err
			}
		}
		if len(batch) < reSealBatch {
			return run.Report(), nil
		}
		after = batch[len(batch)-1]
	}
}

func (s *Store) sealAgain(ctx context.Context, run *sealing.ReSealing, row sealedRow) error {
	again, err := run.Take(row.Sealed, row.IntegrationID, row.Field)
	if err != nil || again == nil {
		return err
	}
	if _, err := s.pool.Exec(ctx, updateSealed, row.IntegrationID, row.Ordinal, row.Sealed, again); err != nil {
		return failed("seal a secret again", err)
	}
	return nil
}
