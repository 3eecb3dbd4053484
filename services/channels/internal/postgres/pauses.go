package postgres

import (
	"context"
	"time"
)

// A pause never gets shorter: two calls may be refused with different figures.
const insertPause = `
insert into pauses (integration_id, recipient, level, until_time) values ($1, $2, 0, now() + $3::interval)
on conflict (integration_id, recipient) do update set until_time = greatest(pauses.until_time, excluded.until_time)`

// The level counts refusals in a row; a quiet spell starts it anew.
const raisePause = `
insert into pauses (integration_id, recipient, level, until_time) values ($1, $2, 1, now() + make_interval(secs => $3))
on conflict (integration_id, recipient) do update
set level = case when pauses.until_time > now() - $4::interval then pauses.level + 1 else 1 end,
    until_time = greatest(pauses.until_time, now() + make_interval(secs =>
        least(power($3, case when pauses.until_time > now() - $4::interval then pauses.level + 1 else 1 end), $5)))
returning extract(epoch from until_time - now())::float8`

const prunePauses = `delete from pauses where until_time < now() - $1::interval`

// Pause makes a recipient wait, or the whole integration for an empty one.
func (s *Store) Pause(ctx context.Context, integrationID, recipient string, d time.Duration) error {
	if _, err := s.pool.Exec(ctx, insertPause, integrationID, recipient, d); err != nil {
		return failed("store pause", err)
	}
	return nil
}

// PauseHarder makes a recipient wait base to the power of the number of refusals in a row, at most longest, and returns how
// long. Refusals that are further apart than quiet are not in a row.
func (s *Store) PauseHarder(ctx context.Context, integrationID, recipient string, base float64, quiet, longest time.Duration) (time.Duration, error) {
	var seconds float64
	row := s.pool.QueryRow(ctx, raisePause, integrationID, recipient, base, quiet, longest.Seconds())
	if err := row.Scan(&seconds); err != nil {
		return 0, failed("store pause", err)
	}
	return inSeconds(seconds), nil
}

// PrunePauses forgets pauses that ended longer than keep ago.
func (s *Store) PrunePauses(ctx context.Context, keep time.Duration) error {
	if _, err := s.pool.Exec(ctx, prunePauses, keep); err != nil {
		return failed("prune pauses", err)
	}
	return nil
}

func inSeconds(s float64) time.Duration { return time.Duration(max(s, 0) * float64(time.Second)) }
