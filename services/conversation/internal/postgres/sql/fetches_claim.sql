-- As in turns_claim.sql, the planner does not look into the list and the limit.
-- Leases due fetches, integrations in turns, each the longest due first. A lease that expired was a crash, and counts as a
-- failure.
with due as (
    select picked.message_id
    from unnest((select $1::text[])) as known (integration_id)
    cross join lateral (
        select candidate.message_id, candidate.due_at, row_number() over (order by candidate.due_at, candidate.message_id) as place
        from (
            select message_id, due_at from media_fetches
            where integration_id = known.integration_id and due_at <= now() and (lease_until is null or lease_until < now())
            order by due_at, message_id
            limit (select $2::int)
            for update skip locked
        ) as candidate
    ) as picked
    order by picked.place, picked.due_at
    limit (select $2::int)
), leased as (
    update media_fetches f
    set failures = f.failures + (f.lease_token is not null)::int, lease_token = gen_random_uuid(),
        lease_until = now() + $3::float8 * interval '1 second'
    from due
    where f.message_id = due.message_id
    returning f.*
)
select f.message_id, f.integration_id, coalesce(m.details->'media', '{}') as media, f.failures, f.lease_token
from leased f
join messages m on m.id = f.message_id
order by f.due_at, f.message_id
