-- Nothing can be sent to this chat any more: what waits is dead, and so is what of ours is on its way.
with gone as (
    delete from turns t using conversations c
    where c.integration_id = $1 and c.chat_id = $2 and c.business_connection_id = '' and t.conversation_id = c.id
    returning t.conversation_id, t.first_position, t.answer_id
), meant as (
    select gone.*, case when a.purpose = 'reply' then a.through_position end as through_position
    from gone left join messages a on a.id = gone.answer_id
), unsent as (
    select answer_id as id from meant
    union
    select m.id from meant
    join messages m on m.conversation_id = meant.conversation_id and m.purpose = 'staff' and m.state = 'sending'
), failed as (
    update messages m set state = 'failed', error = $3 from unsent where m.id = unsent.id
    returning m.id, m.conversation_id, m.purpose
), dead as (
    update messages m
    set state = 'dead', error = $3, answer_id = case when m.position <= meant.through_position then meant.answer_id end
    from meant
    where m.conversation_id = meant.conversation_id and m.position >= meant.first_position and m.state = 'open'
    returning m.id, m.conversation_id
), told as (
    insert into subscription_deliveries (subscription_id, event_type, conversation_id, message_id)
    select s.id, 'message.failed', lost.conversation_id, lost.id
    from (select conversation_id, id from dead union all select conversation_id, id from failed where purpose = 'staff') as lost
    join conversations c on c.id = lost.conversation_id
    join subscriptions s on s.enabled and 'message.failed' = any (s.event_types) and s.integration_id in ('', c.integration_id)
)
update webhook_events e set outcome = 'dead', error = $3, processed_time = now()
from dead
where e.message_id = dead.id and e.outcome in ('open', 'held')
