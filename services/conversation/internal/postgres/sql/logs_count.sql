-- Rejected deliveries are counted apart, because only one a second per address has a row.
select platform, sum(total)::bigint, sum(rejected)::bigint
from (
    select platform, count(*) filter (where response_status = 200) as total, 0 as rejected from webhook_logs group by platform
    union all
    select platform, 0, sum(count) from webhook_rejections group by platform
) as counted
group by platform
order by platform
