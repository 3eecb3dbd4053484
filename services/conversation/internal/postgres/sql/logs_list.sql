select l.id, l.platform, l.event_type, l.response_status, l.error, l.remote_address, coalesce(l.duplicate_of::text, ''), l.create_time,
       e.outcomes, e.errors, e.processed_time, e.unfinished
from (
    select newest.*
    from unnest($1::text[]) as wanted (platform)
    cross join lateral (
        select * from webhook_logs l
        where l.platform = wanted.platform and (l.create_time, l.id) < ($2::timestamptz, $3::uuid)
        order by l.create_time desc, l.id desc
        limit $4
    ) as newest
    order by newest.create_time desc, newest.id desc
    limit $4
) as l
cross join lateral (
    select coalesce(string_agg(distinct outcome, ', '), '') as outcomes,
           coalesce(string_agg(distinct nullif(error, ''), '; '), '') as errors,
           max(processed_time) as processed_time, count(*) filter (where processed_time is null) as unfinished
    from webhook_events where log_id = l.id
) as e
order by l.create_time desc, l.id desc
