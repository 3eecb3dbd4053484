-- Reports leave the queue, and their events say what they were about.
with gone as (
    delete from delivery_reports d
    using unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) as settled (id, outcome, response, error)
    where d.id = settled.id
    returning d.log_id, d.ordinal, settled.outcome, settled.response, settled.error
)
update webhook_events e set outcome = gone.outcome, response = gone.response, error = gone.error, processed_time = now()
from gone
where e.log_id = gone.log_id and e.ordinal = gone.ordinal
