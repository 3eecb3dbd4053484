-- The dead messages of a delivery, and with each those that the same failed answer was meant for.
with named as (
    select m.id, m.conversation_id, m.position, m.answer_id
    from webhook_events e join messages m on m.id = e.message_id
    where e.log_id = $1 and e.outcome = 'dead' and m.state = 'dead'
)
select n.conversation_id, n.position, n.id, coalesce(n.answer_id::text, '') from named n
union
select m.conversation_id, m.position, m.id, m.answer_id::text
from named n join messages m on m.conversation_id = n.conversation_id and m.answer_id = n.answer_id and m.state = 'dead'
order by 1, 2
