-- What subscribers are told of messages, in the transaction in which it happened. An answer that the customer was told to expect
-- a person by is told as a hand-over, too.
insert into subscription_deliveries (subscription_id, event_type, conversation_id, message_id, details)
select s.id, happened.event_type, m.conversation_id, m.id, happened.details
from subscriptions s
join messages m on m.id = any ($2::text[]::uuid[])
join conversations c on c.id = m.conversation_id and s.integration_id in ('', c.integration_id)
cross join lateral (
    select $1::text as event_type, null::jsonb as details
    union all
    select 'conversation.handed_over', '{"cause": "customer_asked"}'
    where $1 = 'message.answered' and m.basis->>'outcome' = 'handoff'
) as happened
where s.enabled and happened.event_type = any (s.event_types)
