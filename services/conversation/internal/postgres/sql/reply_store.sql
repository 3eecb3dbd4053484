-- What staff write goes out as an answer does. It keeps the bot silent like what they write by themselves.
with numbered as (
    update conversations
    set last_position = last_position + 1, last_message_time = now(),
        pause_cause = case when bot_paused_until > now() then pause_cause else 'staff_wrote' end,
        paused_by = case when bot_paused_until > now() then paused_by else '' end,
        pause_reason = case when bot_paused_until > now() then pause_reason else '' end,
        bot_paused_until = greatest(bot_paused_until, now() + $5::float8 * interval '1 second')
    where id = $1
    returning last_position
)
insert into messages (id, conversation_id, position, role, kind, text, state, purpose, request_id, through_position)
select $2, $1, numbered.last_position, 'staff', 'text', $3, 'sending', 'staff', $4, numbered.last_position - 1
from numbered
returning position
