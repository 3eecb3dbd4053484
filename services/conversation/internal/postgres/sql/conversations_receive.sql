-- Finds or opens the active conversations, locks them in order, and takes positions for their new messages.
insert into conversations (
    integration_id, scope, user_id, platform, platform_user_id, created_via, is_group,
    chat_id, thread_id, business_connection_id, rag_enabled, passages, last_position, last_customer_time)
select integration_id, scope, nullif(user_id, '')::uuid, platform, platform_user_id, platform, is_group,
       chat_id, thread_id, business_connection_id, rag_enabled, passages, messages, last_customer_time
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bool[], $7::bigint[], $8::bigint[], $9::text[],
            $10::bool[], $11::int[], $12::bigint[], $13::timestamptz[])
    as met (integration_id, scope, user_id, platform, platform_user_id, is_group, chat_id, thread_id, business_connection_id,
            rag_enabled, passages, messages, last_customer_time)
order by integration_id, scope
on conflict (integration_id, scope) where closed_time is null do update set
    last_position = conversations.last_position + excluded.last_position,
    last_customer_time = greatest(conversations.last_customer_time, excluded.last_customer_time),
    last_message_time = now(),
    rag_enabled = excluded.rag_enabled,
    passages = excluded.passages,
    -- staff may have written first
    user_id = coalesce(conversations.user_id, excluded.user_id)
returning id, integration_id, scope, last_position, held_from, coalesce(bot_paused_until > now(), false)
