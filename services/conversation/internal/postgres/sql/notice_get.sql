select id, subscription_id, event_type, conversation_id, coalesce(message_id::text, ''), state, failures, response_status, last_error,
       create_time, case when state = 'pending' then due_at end, finish_time
from subscription_deliveries
where id = $1 and subscription_id = $2
