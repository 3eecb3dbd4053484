select id, integration_id, coalesce(user_id::text, ''), closed_time is not null, platform, platform_user_id, created_via, rag_enabled,
       passages, create_time, last_message_time,
       case when bot_paused_until > now() then bot_paused_until end
from conversations c
where id = $1 and (is_group or not exists (select from erasures e where e.user_id = c.user_id))
