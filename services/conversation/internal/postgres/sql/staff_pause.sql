-- The bot keeps silent for a while after the last message of staff.
update conversations c
set bot_paused_until = greatest(c.bot_paused_until, spoke.until),
    pause_cause = case when c.bot_paused_until > now() then c.pause_cause else 'staff_wrote' end,
    paused_by = case when c.bot_paused_until > now() then c.paused_by else '' end,
    pause_reason = case when c.bot_paused_until > now() then c.pause_reason else '' end
from unnest($1::text[], $2::timestamptz[]) as spoke (conversation_id, until)
where c.id = spoke.conversation_id::uuid
