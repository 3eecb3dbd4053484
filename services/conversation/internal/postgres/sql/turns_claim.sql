-- Leases due turns. Each integration offers as many as it has slots free; those of integrations that hold few go first, so
-- that nobody waits behind another's backlog. A lease that expired was a crash.
--
-- Parameters that decide how many rows there are stand in a (select …), which the planner does not look into: else it finds the
-- plan for these few rows cheaper than the one for any, and plans anew each time, which takes longer than the rest.
with room as (
    select * from unnest((select $1::text[]), (select $2::int[]), (select $3::int[])) as room (integration_id, free, held)
), due as (
    select picked.conversation_id
    from room
    cross join lateral (
        select candidate.conversation_id, candidate.due_at,
               row_number() over (order by candidate.due_at) as place
        from (
            select conversation_id, due_at from turns
            where integration_id = room.integration_id and due_at <= now()
              and (lease_until is null or lease_until < now())
              and (crashes + (lease_token is not null)::int >= $7) = $6::bool
            order by due_at
            limit room.free
            for update skip locked
        ) as candidate
    ) as picked
    order by room.held + picked.place, picked.due_at
    limit (select $4::int)
), leased as (
    update turns t
    set crashes = t.crashes + (t.lease_token is not null)::int,
        lease_token = gen_random_uuid(),
        lease_until = now() + $5::float8 * interval '1 second'
    from due
    where t.conversation_id = due.conversation_id
    returning t.*
)
select t.conversation_id, t.lease_token, t.integration_id, c.platform, t.seq, t.first_position, t.attempt, t.crashes, t.opened_at,
       coalesce(u.external_id, '') as external_id, case when u.phone_hidden and u.external_id is not null then '' else coalesce(u.phone, '') end as phone,
       c.chat_id, c.thread_id, c.business_connection_id, c.last_customer_time,
       a.id as answer_id, a.request_id, a.purpose, a.text, a.through_position, a.reply_to, a.template, a.language, a.buttons,
       coalesce(a.traceparent, '') as traceparent
from leased t
join conversations c on c.id = t.conversation_id
left join users u on u.id = c.user_id
left join messages a on a.id = t.answer_id
order by t.due_at
