-- The integration is gone for good, and with it the key to its files.
with gone as (
    delete from media_fetches where integration_id = any ($1::text[]) returning message_id
)
update messages m set media_error = 'INTEGRATION_DELETED'
from gone
where m.id = gone.message_id
