-- Everything that a customer takes part in: their own conversations, and groups in which they wrote.
select id, integration_id, coalesce(user_id::text, ''), closed_time is not null, platform, platform_user_id, created_via, rag_enabled,
       passages, create_time, last_message_time,
       case when bot_paused_until > now() then bot_paused_until end, case when bot_paused_until > now() then pause_cause else '' end,
       case when bot_paused_until > now() then paused_by else '' end, case when bot_paused_until > now() then pause_reason else '' end,
       last_outcome, input_tokens, output_tokens, cost_micros, is_group
from conversations c
where id > $3 and (id = any ($1::text[]::uuid[])
   or integration_id = $4 and is_group and exists (select from messages m where m.conversation_id = c.id and m.user_id = $2))
order by id
limit $5
