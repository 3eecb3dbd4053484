-- Deliveries that were found, in the order in which they were.
select l.id, l.platform, l.event_type, l.response_status, l.error, l.remote_address, coalesce(l.duplicate_of::text, ''), l.create_time,
       e.outcomes, e.errors, e.processed_time, e.unfinished
from unnest($1::text[]::uuid[]) with ordinality as found (id, place)
join webhook_logs l on l.id = found.id
cross join lateral (
    select coalesce(string_agg(distinct outcome, ', '), '') as outcomes,
           coalesce(string_agg(distinct nullif(error, ''), '; '), '') as errors,
           max(processed_time) as processed_time, count(*) filter (where processed_time is null) as unfinished
    from webhook_events where log_id = l.id
) as e
order by found.place
