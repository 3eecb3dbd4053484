-- The reply is next, unless a message of ours is on its way already: then it waits for that one. Whoever is composing in the
-- conversation has lost it by that.
insert into turns (conversation_id, integration_id, first_position, seq, due_at, answer_id)
select c.id, c.integration_id, m.through_position + 1, m.through_position, now(), m.id
from messages m join conversations c on c.id = m.conversation_id
where m.id = $1
on conflict (conversation_id) do update set
    answer_id = excluded.answer_id, due_at = now(), opened_at = least(turns.opened_at, now()),
    attempt = 0, crashes = 0, discards = 0, last_error = '', lease_token = null, lease_until = null
where turns.answer_id is null
