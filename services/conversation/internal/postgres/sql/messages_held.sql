-- The questions stay open: the customer's next message brings them up again.
update webhook_events e set outcome = 'held', error = $4, response = $5
from messages m
where m.conversation_id = $1 and m.position between $2 and $3 and m.state = 'open'
  and e.message_id = m.id and e.outcome = 'open'
