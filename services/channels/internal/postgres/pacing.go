package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/knobot/knobot/platform/postgres"
	"github.com/knobot/knobot/services/channels"
)

// takePlace asks for a place under all quotas of a message, by the generic cell rate algorithm: on_time is when the next
// message would come evenly spaced, and one may come earlier by the slack of its burst.
//
// The rows are locked in one order, that of the whole integration last, because all wait for it. What a recipient has to wait
// for, a quota of its own or a pause, takes nothing: others must not wait behind it. Among those of the whole integration a
// place ahead of time is taken, so that those who wait form a queue and need not ask again. A row that is missing takes
// nothing either and is reported.
const takePlace = `
with wanted as (
    select recipient, quota, every, slack
    from unnest($2::text[], $3::text[], $4::interval[], $5::interval[]) as w (recipient, quota, every, slack)
), held as materialized (
    select p.recipient, p.quota, p.on_time, w.every, w.slack
    from pacing p join wanted w on p.recipient = w.recipient and p.quota = w.quota
    where p.integration_id = $1
    order by p.recipient desc, p.quota
    for no key update of p
), found as materialized (
    select count(*) as rows, coalesce($8::timestamptz, now()) as now,
           coalesce(max(on_time - slack) filter (where recipient <> ''), '-infinity') as own,
           coalesce(max(on_time - slack) filter (where recipient = ''), '-infinity') as shared,
           (select coalesce(max(until_time), '-infinity') from pauses where integration_id = $1 and recipient = any ($6)) as paused
    from held
), verdict as materialized (
    select now, rows = cardinality($2::text[]) as complete, greatest(now, own, shared, paused) as due,
           rows = cardinality($2::text[]) and greatest(own, paused) <= now and shared <= now + $7::interval as taken
    from found
), taken as (
    update pacing p set on_time = greatest(h.on_time, v.due) + h.every
    from held h, verdict v
    where v.taken and p.integration_id = $1 and p.recipient = h.recipient and p.quota = h.quota
)
select complete, taken, extract(epoch from due - now)::float8 from verdict`

// addQuotas makes the rows of quotas that nobody has used lately.
const addQuotas = `
insert into pacing (integration_id, recipient, quota, on_time)
select $1, recipient, quota, '-infinity' from unnest($2::text[], $3::text[]) as w (recipient, quota) order by recipient desc, quota
on conflict do nothing`

// returnPlace undoes takePlace. What was taken since then keeps its place.
const returnPlace = `
with held as materialized (
    select p.recipient, p.quota, w.every
    from pacing p
    join unnest($2::text[], $3::text[], $4::interval[]) as w (recipient, quota, every)
      on p.recipient = w.recipient and p.quota = w.quota
    where p.integration_id = $1
    order by p.recipient desc, p.quota
    for no key update of p
)
update pacing p set on_time = p.on_time - h.every
from held h where p.integration_id = $1 and p.recipient = h.recipient and p.quota = h.quota`

// prunePacing forgets quotas that have been full again for a while. A row that somebody holds is in use.
const prunePacing = `
delete from pacing p
using (select integration_id, recipient, quota from pacing where on_time < now() - $1::interval limit $2 for update skip locked) old
where (p.integration_id, p.recipient, p.quota) = (old.integration_id, old.recipient, old.quota)`

// TakePlace takes a place under all quotas of a request, or none. It is one statement, unless nobody has written to the
// recipient for a while.
func (s *Store) TakePlace(ctx context.Context, r channels.PlaceRequest) (channels.Place, error) {
	recipients, names, every, slack := columns(r.Quotas)
	for missing := false; ; missing = true {
		var (
			complete bool
			place    channels.Place
			seconds  float64
		)
		b := &pgx.Batch{}
		b.Queue(postgres.NoWait) // a place that is forgotten is a message too early
		if missing {
			b.Queue(addQuotas, r.IntegrationID, recipients, names)
		}
		b.Queue(takePlace, r.IntegrationID, recipients, names, every, slack, r.PausedFor, r.Patience, timeOrNull(r.Now)).
			QueryRow(func(row pgx.Row) error { return row.Scan(&complete, &place.Taken, &seconds) })
		if err := s.pool.SendBatch(ctx, b).Close(); err != nil {
			return channels.Place{}, failed("take a place", err)
		}
		if complete {
			place.Wait = inSeconds(seconds)
			return place, nil
		}
	}
}

// ReturnPlace gives back what TakePlace took.
func (s *Store) ReturnPlace(ctx context.Context, integrationID string, quotas []channels.Quota) error {
	recipients, names, every, _ := columns(quotas)
	if _, err := s.pool.Exec(ctx, returnPlace, integrationID, recipients, names, every); err != nil {
		return failed("return a place", err)
	}
	return nil
}

// PrunePacing forgets up to limit quotas that have been full again for longer than keep, and returns how many.
func (s *Store) PrunePacing(ctx context.Context, keep time.Duration, limit int) (int64, error) {
	tag, err := s.pool.Exec(ctx, prunePacing, keep, limit)
	if err != nil {
		return 0, failed("prune pacing", err)
	}
	return tag.RowsAffected(), nil
}

func columns(quotas []channels.Quota) (recipients, names []string, every, slack []time.Duration) {
	for _, q := range quotas {
		recipients, names = append(recipients, q.Recipient), append(names, q.Name)
		every, slack = append(every, q.Every), append(slack, q.Slack())
	}
	return recipients, names, every, slack
}
