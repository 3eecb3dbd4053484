with answered as (
    update messages set state = 'answered', answer_id = $4
    where conversation_id = $1 and position between $2 and $3 and state = 'open'
    returning id
)
update webhook_events e set outcome = 'answered', error = '', response = $5, processed_time = now()
from answered
where e.message_id = answered.id and e.outcome in ('open', 'held')
