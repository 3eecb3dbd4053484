-- The draft is thrown away: staff has the word.
update turns t set
    opened_at = greatest(t.opened_at, c.bot_paused_until), due_at = greatest(t.due_at, c.bot_paused_until),
    lease_token = null, lease_until = null
from conversations c
where t.conversation_id = $1 and c.id = t.conversation_id
