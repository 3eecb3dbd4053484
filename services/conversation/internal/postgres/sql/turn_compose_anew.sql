-- The customer wrote while the window seemed closed: it is open again, and everything is answered together.
update turns t set
    opened_at = greatest(now(), c.bot_paused_until), due_at = greatest(t.due_at, now(), c.bot_paused_until),
    attempt = 0, crashes = 0, discards = 0, last_error = '', answer_id = null, lease_token = null, lease_until = null
from conversations c
where t.conversation_id = $1 and t.seq > $2 and c.id = t.conversation_id
