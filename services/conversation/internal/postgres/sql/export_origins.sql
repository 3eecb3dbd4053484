-- Whose messages are, and the webhooks that they came in.
select m.id, m.user_id is not distinct from $2,
       coalesce(jsonb_agg(jsonb_build_object('log_id', l.id, 'payload_sha256', encode(l.payload_sha256, 'hex'))) filter (where l.id is not null), '[]')
from messages m
left join webhook_events e on e.message_id = m.id
left join webhook_logs l on l.id = e.log_id
where m.id = any ($1::text[]::uuid[])
group by m.id
