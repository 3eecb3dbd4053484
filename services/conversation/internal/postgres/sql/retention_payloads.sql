-- The next deliveries of a platform that are old enough lose the bodies that came for an integration. Their log stays.
with old as (
    select l.id, l.payload_sha256, l.create_time from webhook_logs l
    where l.platform = $1 and (l.create_time, l.id) > ($4::timestamptz, $5::uuid) and l.create_time < now() - $3::float8 * interval '1 second'
    order by l.create_time, l.id
    limit $6
), emptied as (
    update webhook_payloads p set body = ''
    from old
    where p.sha256 = old.payload_sha256 and p.body <> ''
      and exists (select from webhook_events e where e.log_id = old.id and e.integration_id = $2)
    returning 1
)
select (select count(*) from emptied), id, create_time from old order by create_time desc, id desc limit 1
