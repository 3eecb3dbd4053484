-- The oldest messages go, and what else was kept of them. A question whose answer was held for so long is not answered any more.
with old as (
    select m.id, m.conversation_id from messages m
    where m.conversation_id = any ($1::text[]::uuid[]) and m.create_time < now() - $2::float8 * interval '1 second'
    limit $3
), parts as (
    delete from message_parts p using old where p.conversation_id = old.conversation_id and p.message_id = old.id
), events as (
    update webhook_events e
    set outcome = case when e.outcome in ('open', 'held') then 'expired' else e.outcome end, processed_time = coalesce(e.processed_time, now()),
        error = ''
    from old
    where e.message_id = old.id
), gone as (
    delete from messages m using old where m.id = old.id returning m.id
)
select count(*) from gone
