select l.id, l.platform, l.event_type, l.response_status, l.error, l.remote_address, coalesce(l.duplicate_of::text, ''), l.create_time,
       e.outcomes, e.errors, e.processed_time, e.unfinished
from (
    select l.* from webhook_logs l
    where l.id in (select log_id from webhook_events where outcome = 'dead')
      and l.platform = any ($1::text[]) and (l.create_time, l.id) < ($2::timestamptz, $3::uuid)
    order by l.create_time desc, l.id desc
    limit $4
) as l
cross join lateral (
    select coalesce(string_agg(distinct outcome, ', '), '') as outcomes,
           coalesce(string_agg(distinct nullif(error, ''), '; '), '') as errors,
           max(processed_time) as processed_time, count(*) filter (where processed_time is null) as unfinished
    from webhook_events where log_id = l.id
) as e
order by l.create_time desc, l.id desc
