insert into webhook_rejections (platform, reason, day, count)
select platform, reason, current_date, count
from unnest($1::text[], $2::text[], $3::bigint[]) as refused (platform, reason, count)
order by platform, reason
on conflict (platform, reason, day) do update set count = webhook_rejections.count + excluded.count
