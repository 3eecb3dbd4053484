delete from message_parts where conversation_id = any ($1::text[]::uuid[]) and message_id = any ($2::text[]::uuid[])
