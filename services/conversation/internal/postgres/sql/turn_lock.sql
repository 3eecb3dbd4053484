select seq, coalesce(answer_id::text, '') as answer_id, discards, opened_at + $3::float8 * interval '1 second' <= now() as overdue,
       exists (select from subscriptions where enabled) as subscribed
from turns
where conversation_id = $1 and lease_token = $2
for update
