-- A batch of what is to go: all of the customer's own conversations, and what they wrote in groups, after what answers it.
(select m.id, m.conversation_id, false as in_group, m.platform_message_id, coalesce(m.request_id::text, ''), m.media_id,
        coalesce(m.details->'media'->>'id', '')
 from messages m
 where m.conversation_id = any ($1::text[]::uuid[])
 order by m.conversation_id, m.position
 limit $4)
union all
(select m.id, m.conversation_id, true, m.platform_message_id, coalesce(m.request_id::text, ''), m.media_id,
        coalesce(m.details->'media'->>'id', '')
 from conversations g
 join messages m on m.conversation_id = g.id
 where g.integration_id = $3 and g.is_group
   and (m.user_id = $2 or m.id in (select q.answer_id from messages q where q.conversation_id = g.id and q.user_id = $2))
 order by m.role <> 'assistant', m.id
 limit $4)
limit $4
