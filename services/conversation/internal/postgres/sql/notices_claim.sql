-- Leases due notices, subscriptions in turns, each the longest due first, and of each no more than may be under way: one that
-- hangs keeps no other waiting. A lease that expired was a crash, and counts as a failure.
with due as (
    select picked.id
    from subscriptions s
    left join unnest($1::text[], $2::int[]) as busy (subscription_id, held) on s.id = busy.subscription_id::uuid
    cross join lateral (
        select candidate.id, candidate.due_at, row_number() over (order by candidate.due_at) as place
        from (
            select id, due_at from subscription_deliveries
            where subscription_id = s.id and state = 'pending' and due_at <= now() and (lease_until is null or lease_until < now())
            order by due_at
            limit greatest($3::int - coalesce(busy.held, 0), 0)
            for update skip locked
        ) as candidate
    ) as picked
    where s.enabled
    order by picked.place, picked.due_at
    limit $4
), leased as (
    update subscription_deliveries d
    set failures = d.failures + (d.lease_token is not null)::int, lease_token = gen_random_uuid(),
        lease_until = now() + $5::float8 * interval '1 second'
    from due
    where d.id = due.id
    returning d.*
)
select d.id, d.subscription_id, d.event_type, d.conversation_id, coalesce(d.message_id::text, ''), d.failures, d.create_time, d.lease_token,
       s.url, s.secret, case when s.former_until > now() then s.former_secret end,
       c.id is null or d.message_id is not null and m.id is null as gone,
       coalesce(c.integration_id, ''), coalesce(c.platform, ''), coalesce(c.user_id::text, ''),
       coalesce(m.position, 0), coalesce(m.role, ''), coalesce(m.kind, ''),
       left(case when m.transcript <> '' then concat_ws(e'\n', nullif(m.text, ''), m.transcript) else coalesce(m.text, '') end, $6),
       coalesce(m.state, ''), coalesce(m.error, ''), coalesce(m.platform_message_id, ''), coalesce(m.create_time, d.create_time), m.basis,
       coalesce(d.details->>'cause', ''), coalesce(d.details->>'staff', ''), coalesce(d.details->>'reason', '')
from leased d
join subscriptions s on s.id = d.subscription_id
left join conversations c on c.id = d.conversation_id
left join messages m on m.id = d.message_id
order by d.due_at
