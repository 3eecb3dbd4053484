insert into message_parts (conversation_id, platform_message_id, message_id)
select $1, part, $2 from unnest($3::text[]) as part where part <> '' on conflict do nothing
