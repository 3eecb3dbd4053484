with dead as (
    update messages set state = 'dead', error = $4, answer_id = $5
    where conversation_id = $1 and position between $2 and $3 and state = 'open'
    returning id, conversation_id
), told as (
    insert into subscription_deliveries (subscription_id, event_type, conversation_id, message_id)
    select s.id, 'message.failed', dead.conversation_id, dead.id
    from dead
    join conversations c on c.id = dead.conversation_id
    join subscriptions s on s.enabled and 'message.failed' = any (s.event_types) and s.integration_id in ('', c.integration_id)
)
update webhook_events e set outcome = 'dead', error = $4, processed_time = now()
from dead
where e.message_id = dead.id and e.outcome in ('open', 'held')
