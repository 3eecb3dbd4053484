-- Staff takes the word. Whether that is news: not while they have it by a hand-over already.
with before as (
    select pause_cause is distinct from 'handed_over' or coalesce(bot_paused_until <= now(), true) as news from conversations where id = $1
), taken as (
    update conversations
    set bot_paused_until = greatest(bot_paused_until, now() + $2::float8 * interval '1 second'),
        pause_cause = 'handed_over', paused_by = $3, pause_reason = $4
    where id = $1
)
select news from before
