-- Idle conversations end when their next message comes, unless something in them still waits.
update conversations c set closed_time = now()
from (
    select c.id
    from unnest($1::text[], $2::text[]) as met (integration_id, scope)
    join conversations c on c.integration_id = met.integration_id and c.scope = met.scope
    where c.closed_time is null and c.last_message_time < now() - $3 * interval '1 second' and c.held_from is null
      and (c.bot_paused_until is null or c.bot_paused_until < now())
      and not exists (select from turns t where t.conversation_id = c.id)
    order by c.integration_id, c.scope
    for update of c
) as idle
where c.id = idle.id
