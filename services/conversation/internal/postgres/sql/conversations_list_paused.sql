-- Next to none is paused, so they are sorted once they are found.
select id, integration_id, coalesce(user_id::text, ''), closed_time is not null, platform, platform_user_id, created_via, rag_enabled,
       passages, create_time, last_message_time,
       case when bot_paused_until > now() then bot_paused_until end, case when bot_paused_until > now() then pause_cause else '' end,
       case when bot_paused_until > now() then paused_by else '' end, case when bot_paused_until > now() then pause_reason else '' end,
       last_outcome
from conversations c
where bot_paused_until > now() and ($1 = '' or integration_id = $1) and ($2 = '' or user_id = nullif($2, '')::uuid)
  and (is_group or not exists (select from erasures e where e.user_id = c.user_id))
  and ($6::bool is null or (closed_time is not null) = $6) and (create_time, id) < ($3::timestamptz, $4::uuid)
order by create_time desc, id desc
limit $5
