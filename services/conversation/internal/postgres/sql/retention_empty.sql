-- A conversation of which nothing is left goes too. The customer's next message opens another.
delete from conversations c
where c.id = any ($1::text[]::uuid[]) and c.last_message_time < now() - $2::float8 * interval '1 second'
  and not exists (select from messages m where m.conversation_id = c.id)
  and not exists (select from turns t where t.conversation_id = c.id)
