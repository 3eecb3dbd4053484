-- Reports on their way would say of messages that are no more.
with gone as (
    delete from delivery_reports where integration_id = $1 and message_id = any ($2::text[]) returning log_id, ordinal
)
update webhook_events e set outcome = 'erased', error = '', response = '', processed_time = now()
from gone
where e.log_id = gone.log_id and e.ordinal = gone.ordinal
