-- Rejected deliveries are counted apart, because only one a second per address has a row.
select wanted.platform, received.total, rejected.total
from unnest($1::text[]) as wanted (platform)
cross join lateral (
    select count(*) as total from webhook_logs l
    where l.platform = wanted.platform and l.create_time >= $2 and l.create_time < $3 and l.response_status = 200
) as received
cross join lateral (
    select coalesce(sum(r.count), 0)::bigint as total from webhook_rejections r
    where r.platform = wanted.platform and r.day >= $2::date and r.day <= $3::date
) as rejected
where received.total + rejected.total > 0
order by wanted.platform
