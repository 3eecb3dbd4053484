-- What the customer wrote before staff did is answered by them, unless an answer of ours to it is decided and goes out. What
-- the customer wrote later by the provider's clock still waits, in whatever order the two came in.
with spoke as (
    select c.id, least(c.held_from, t.first_position) as first_position, spoke.position, spoke.occur_time,
           case when a.purpose = 'reply' then a.through_position else 0 end as decided
    from unnest($1::text[], $2::bigint[], $3::timestamptz[]) as spoke (conversation_id, position, occur_time)
    join conversations c on c.id = spoke.conversation_id::uuid
    left join turns t on t.conversation_id = c.id
    left join messages a on a.id = t.answer_id
), settled as (
    update messages m set state = 'answered'
    from spoke
    where m.conversation_id = spoke.id and m.position >= spoke.first_position and m.position < spoke.position
      and m.position > coalesce(spoke.decided, 0) and m.state = 'open'
      and (m.occur_time is null or spoke.occur_time is null or m.occur_time <= spoke.occur_time)
    returning m.id
)
update webhook_events e set outcome = 'answered_by_staff', error = '', processed_time = now()
from settled
where e.message_id = settled.id and e.outcome in ('open', 'held')
