select ordinal, integration_id, kind, coalesce(message_id::text, ''), outcome, error, response, processed_time
from webhook_events where log_id = $1 order by ordinal
