-- Nearly every delivery comes to the outcomes that are looked for in here, so few are looked at in vain.
select newest.id
from unnest($1::text[]) as wanted (platform)
cross join lateral (
    select l.id, l.create_time from webhook_logs l
    where l.platform = wanted.platform and (l.create_time, l.id) < ($2::timestamptz, $3::uuid) and l.create_time >= $4
      and ($5 = '' or (select true from webhook_events e where e.log_id = l.id and e.outcome = $5 limit 1))
    order by l.create_time desc, l.id desc
    limit $6
) as newest
order by newest.create_time desc, newest.id desc
limit $6
