-- The bot may speak again: what waits for the end of the pause is due now.
with resumed as (
    update conversations set bot_paused_until = null where id = $1 and bot_paused_until > now()
    returning id
)
update turns t set due_at = now(), opened_at = least(t.opened_at, now())
from resumed
where t.conversation_id = resumed.id and t.answer_id is null
