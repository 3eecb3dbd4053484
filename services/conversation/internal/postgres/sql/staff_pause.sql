-- The bot keeps silent for a while after the last message of staff.
update conversations c
set bot_paused_until = greatest(c.bot_paused_until, spoke.until)
from unnest($1::text[], $2::timestamptz[]) as spoke (conversation_id, until)
where c.id = spoke.conversation_id::uuid
