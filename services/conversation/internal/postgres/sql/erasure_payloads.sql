-- The payloads that messages came in.
select distinct l.payload_sha256
from webhook_events e
join webhook_logs l on l.id = e.log_id
where e.message_id = any ($1::text[]::uuid[]) and l.payload_sha256 is not null
