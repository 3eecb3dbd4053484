-- Of a delivery that only reports on messages of erased customers, the body is not kept.
with erased as (
    select d.log_id, d.ordinal
    from delivery_reports d
    join erased_messages e on e.integration_id = d.integration_id and e.message_sha256 = sha256(convert_to(d.message_id, 'UTF8'))
    where d.id = any ($1::bigint[])
)
update webhook_payloads p set body = ''
from (select distinct log_id from erased) as report
join webhook_logs l on l.id = report.log_id
where p.sha256 = l.payload_sha256
  and not exists (select from webhook_events o
                  where o.log_id = l.id and o.ordinal not in (select e.ordinal from erased e where e.log_id = l.id))
