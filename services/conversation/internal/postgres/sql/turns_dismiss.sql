-- Turns in which nothing waits any more end. A worker that is composing in one has lost it by that.
delete from turns t
where t.conversation_id = any ($1::text[]::uuid[]) and t.answer_id is null
  and not exists (select from messages m
                  where m.conversation_id = t.conversation_id and m.position between t.first_position and t.seq and m.state = 'open')
