-- A message of ours, and whether a worker is just sending it.
select m.id, m.conversation_id, m.purpose, m.through_position, m.language, m.state,
       m.state = 'sending' and exists (select from turns t where t.conversation_id = m.conversation_id and t.answer_id = m.id and t.lease_until > now())
from messages m
where m.request_id = $1
