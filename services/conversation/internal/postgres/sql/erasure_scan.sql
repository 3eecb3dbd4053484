-- Payloads in the order of their hashes, and whether each may hold something of the customer. What came later is a new user's.
with next as (
    select sha256, log_id, body from webhook_payloads where sha256 > $1 order by sha256 limit $2
)
select n.sha256, exists (select from unnest($3::text[]) as needle where position(convert_to(needle, 'UTF8') in n.body) > 0)
                 and not exists (select from webhook_logs l where l.id = n.log_id and l.create_time > e.create_time)
from next n
join erasures e on e.user_id = $4
order by n.sha256
