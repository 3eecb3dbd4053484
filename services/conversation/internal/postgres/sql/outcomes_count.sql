-- What became of the events of a range of time.
select l.platform, e.integration_id, e.outcome, count(*)
from unnest($1::text[]) as wanted (platform)
join webhook_logs l on l.platform = wanted.platform and l.create_time >= $2 and l.create_time < $3
join webhook_events e on e.log_id = l.id
group by l.platform, e.integration_id, e.outcome
order by count(*) desc, l.platform, e.integration_id, e.outcome
limit 1000
