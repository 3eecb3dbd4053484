with dead as (
    update messages set state = 'dead', error = $4, answer_id = $5
    where conversation_id = $1 and position between $2 and $3 and state = 'open'
    returning id
)
update webhook_events e set outcome = 'dead', error = $4, processed_time = now()
from dead
where e.message_id = dead.id and e.outcome in ('open', 'held')
