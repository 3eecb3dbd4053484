-- The answer did not reach the customer after all: it is held, and what it answered waits again.
with held as (
    update messages set state = 'held', error = $2, delivery_state = 5 where id = $1 and state = 'sent'
    returning id, conversation_id, request_id, through_position
), reopened as (
    update messages m set state = 'open', answer_id = null
    from held
    where m.conversation_id = held.conversation_id and m.position <= held.through_position
      and m.position > held.through_position - 1000 and m.answer_id = held.id and m.state = 'answered'
    returning m.id, m.position
), waiting as (
    update webhook_events e set outcome = 'held', error = $2, processed_time = null
    from reopened
    where e.message_id = reopened.id and e.outcome = 'answered'
)
select min(position) from reopened
