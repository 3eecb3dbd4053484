-- As in turns_claim.sql, the planner does not look into the list.
-- When to look again: the next due time of each integration, and whether one of those due has to run alone.
select extract(epoch from min(t.due_at) - now())::float8 as next,
       coalesce(bool_or(t.due_at <= now() and t.crashes + (t.lease_token is not null)::int >= $2), false) as solo
from unnest((select $1::text[])) as room (integration_id)
cross join lateral (
    select due_at, crashes, lease_token from turns
    where integration_id = room.integration_id and (lease_until is null or lease_until < now())
    order by due_at
    limit 1
) as t
