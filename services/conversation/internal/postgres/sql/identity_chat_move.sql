-- Answers that wait go to the new chat too, so closed conversations move as well.
update conversations
set chat_id = $3, platform_user_id = ($3::bigint)::text,
    scope = 'chat/' || $3::bigint || '/' || thread_id || '/' || business_connection_id
where integration_id = $1 and chat_id = $2
