-- Something came in meanwhile: a new turn, due when its burst is over and the bot may speak.
update turns t set
    first_position = case when t.first_position < $3 then t.first_position else $2 + 1 end,
    opened_at = greatest(now(), c.bot_paused_until), due_at = greatest(t.due_at, now(), c.bot_paused_until),
    attempt = 0, crashes = 0, discards = 0, last_error = '',
    answer_id = null, lease_token = null, lease_until = null
from conversations c
where t.conversation_id = $1 and t.seq > $2 and c.id = t.conversation_id
