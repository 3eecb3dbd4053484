-- The integration is gone for good: what waits for it will never be answered.
with gone as (
    delete from turns where integration_id = any ($1::text[]) and (lease_until is null or lease_until < now())
    returning conversation_id, answer_id
), let_go as (
    update messages m set state = case when m.state = 'open' then 'recorded' else 'failed' end
    from gone
    where m.conversation_id = gone.conversation_id
      and (m.state = 'open' or m.id = gone.answer_id or m.purpose = 'staff' and m.state = 'sending')
    returning m.id
)
update webhook_events e set outcome = 'ignored', error = 'the integration was deleted', processed_time = now()
from let_go
where e.message_id = let_go.id and e.outcome in ('open', 'held')
