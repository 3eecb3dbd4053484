select id, subscription_id, event_type, conversation_id, coalesce(message_id::text, ''), state, failures, response_status, last_error,
       create_time, case when state = 'pending' then due_at end, finish_time
from subscription_deliveries
where subscription_id = $1 and state = 'dead' and (create_time, id) < ($2::timestamptz, $3::uuid)
order by create_time desc, id desc
limit $4
