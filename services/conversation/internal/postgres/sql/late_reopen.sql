-- The answer did not reach the customer after all, and what it answered waits again.
with undone as (
    update messages set state = $2, error = $3, delivery_state = $4 where id = $1 and state = 'sent'
    returning id, conversation_id, through_position
), reopened as (
    update messages m set state = 'open', answer_id = null
    from undone
    where m.conversation_id = undone.conversation_id and m.position <= undone.through_position
      and m.position > undone.through_position - 1000 and m.answer_id = undone.id and m.state = 'answered'
    returning m.id, m.position
), waiting as (
    update webhook_events e set outcome = $5, error = $3, processed_time = null
    from reopened
    where e.message_id = reopened.id and e.outcome = 'answered'
)
select min(position) from reopened
