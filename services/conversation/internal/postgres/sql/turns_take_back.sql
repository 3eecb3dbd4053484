-- What is being composed in these conversations is out of date: it is composed anew, once the bot may speak again.
update turns t
set lease_token = null, lease_until = null,
    due_at = greatest(t.due_at, c.bot_paused_until), opened_at = greatest(t.opened_at, c.bot_paused_until)
from conversations c
where c.id = t.conversation_id and t.conversation_id = any ($1::text[]::uuid[]) and t.answer_id is null
