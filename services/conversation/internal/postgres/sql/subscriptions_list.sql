select id, url, event_types, integration_id, enabled, disabled_cause, create_time, update_time
from subscriptions
where (create_time, id) < ($1::timestamptz, $2::uuid)
order by create_time desc, id desc
limit $3
