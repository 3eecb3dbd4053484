with limited as (
    update messages set state = 'recorded' where id = any ($1::text[]::uuid[]) and state = 'open' returning id
)
update webhook_events e set outcome = 'limited', error = '', processed_time = now()
from limited
where e.message_id = limited.id and e.outcome in ('open', 'held')
