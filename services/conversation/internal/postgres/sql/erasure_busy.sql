-- What is under way in the customer's conversations: a turn or a fetch that a worker holds, or an answer to them in a group.
select exists (select from turns where conversation_id = any ($1::text[]::uuid[]) and lease_until > now())
    or exists (select from media_fetches f join messages m on m.id = f.message_id
               where m.conversation_id = any ($1::text[]::uuid[]) and f.lease_until > now())
    or exists (select from conversations g
               join turns t on t.conversation_id = g.id and t.answer_id is not null
               join messages q on q.conversation_id = g.id and q.user_id = $2 and q.position >= t.first_position
               where g.integration_id = $3 and g.is_group)
    or exists (select from conversations g
               join messages q on q.conversation_id = g.id and q.user_id = $2
               join media_fetches f on f.message_id = q.id and f.lease_until > now()
               where g.integration_id = $3 and g.is_group)
