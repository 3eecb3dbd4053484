with opened as (
    update messages set state = 'open', error = '', answer_id = null where id = any ($1::text[]::uuid[]) and state = 'dead'
    returning id
)
update webhook_events e set outcome = 'open', error = '', processed_time = null
from opened
where e.message_id = opened.id and e.outcome = 'dead'
