-- States only rise. 5 is FAILED: the answer did not reach the customer, and the events of its questions say so.
with reported as (
    select request_id::uuid, max(state) as state, max(error) as error
    from unnest($1::text[], $2::smallint[], $3::text[]) as reported (request_id, state, error)
    group by request_id
), risen as (
    update messages m
    set delivery_state = greatest(m.delivery_state, reported.state),
        state = case when reported.state = 5 and m.state = 'sent' then 'failed' else m.state end,
        error = case when reported.state = 5 then reported.error else m.error end
    from reported
    where m.request_id = reported.request_id and m.delivery_state < reported.state
    returning m.id, m.conversation_id, m.state, m.purpose, m.error, m.through_position
), told as (
    insert into subscription_deliveries (subscription_id, event_type, conversation_id, message_id)
    select s.id, 'message.failed', risen.conversation_id, risen.id
    from risen
    join conversations c on c.id = risen.conversation_id
    join subscriptions s on s.enabled and 'message.failed' = any (s.event_types) and s.integration_id in ('', c.integration_id)
    where risen.state = 'failed' and risen.purpose in ('reply', 'staff')
)
update webhook_events e set outcome = 'failed', error = risen.error
from risen
join messages asked on asked.conversation_id = risen.conversation_id and asked.position <= risen.through_position
    and asked.position > risen.through_position - 1000 and asked.answer_id = risen.id
where risen.state = 'failed' and risen.purpose = 'reply' and e.message_id = asked.id and e.outcome = 'answered'
