-- Nothing is left of a message that was taken back, nor of its edits. If it still waited it is not answered any more.
with taken as (
    update messages set deleted = true, text = 'deleted', transcript = null, details = null, state = case when $2::bool then 'recorded' else state end
    where id = $1
    returning id, conversation_id, position, platform_message_id, role
), unfetched as (
    delete from media_fetches f using taken where f.message_id = taken.id
), edits as (
    update messages m set deleted = true, text = 'deleted', details = null
    from taken
    where m.conversation_id = taken.conversation_id and m.position > taken.position and m.role = taken.role and m.kind = 'edit'
      and taken.platform_message_id in (m.platform_message_id, m.details->>'original')
)
update webhook_events e set outcome = 'deleted', error = '', processed_time = now()
from taken
where $2::bool and e.message_id = taken.id and e.outcome in ('open', 'held')
