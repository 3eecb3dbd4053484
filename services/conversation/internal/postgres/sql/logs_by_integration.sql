-- In the order of ids, which is that of time.
select distinct on (e.log_id) e.log_id
from webhook_events e
join webhook_logs l on l.id = e.log_id
where e.integration_id = $1 and e.log_id < $2::uuid and e.log_id >= $3::uuid and ($4 = '' or e.outcome = $4)
  and l.platform = any ($5::text[]) and l.create_time >= $6 and l.create_time < $7 and ($8 = '' or l.event_type = $8)
order by e.log_id desc
limit $9
