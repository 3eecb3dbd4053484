-- Deliveries with all that belongs to them, the oldest first, a batch at a time. What still waits for an answer stays.
with old as (
    select oldest.id
    from unnest($1::text[]) as known (platform)
    cross join lateral (
        select l.id from webhook_logs l
        where l.platform = known.platform and l.create_time < now() - $2 * interval '1 second'
          and not exists (select from webhook_events e where e.log_id = l.id and e.outcome in ('open', 'held'))
        order by l.create_time, l.id
        limit $3
    ) as oldest
    limit $3
), logs as (
    delete from webhook_logs l using old where l.id = old.id returning l.id, l.payload_sha256
), events as (
    delete from webhook_events e using old where e.log_id = old.id
), payloads as (
    delete from webhook_payloads p using logs where p.sha256 = logs.payload_sha256 and p.log_id = logs.id
)
select count(*) from logs
