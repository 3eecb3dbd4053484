-- Next to none is paused, so they are sorted once they are found.
select c.id, c.integration_id, coalesce(c.user_id::text, ''), c.closed_time is not null, c.platform, c.platform_user_id, c.created_via,
       c.rag_enabled, c.passages, c.create_time, c.last_message_time,
       case when bot_paused_until > now() then bot_paused_until end, case when bot_paused_until > now() then pause_cause else '' end,
       case when bot_paused_until > now() then paused_by else '' end, case when bot_paused_until > now() then pause_reason else '' end,
       last_outcome, input_tokens, output_tokens, cost_micros
from conversations c
where bot_paused_until > now() and ($1 = '' or c.integration_id = $1) and ($2 = '' or c.user_id = nullif($2, '')::uuid)
  and (is_group or (select e.user_id from erasures e where e.user_id = c.user_id limit 1) is null)
  and ($6::bool is null or (c.closed_time is not null) = $6)
  and (c.create_time, c.id) < ($3::timestamptz, $4::uuid)
order by c.create_time desc, c.id desc
limit $5
