-- Staff took a conversation over.
insert into subscription_deliveries (subscription_id, event_type, conversation_id, details)
select s.id, 'conversation.handed_over', c.id,
       jsonb_build_object('cause', 'staff_took_over', 'staff', c.paused_by, 'reason', c.pause_reason)
from conversations c
join subscriptions s on s.enabled and 'conversation.handed_over' = any (s.event_types) and s.integration_id in ('', c.integration_id)
where c.id = $1
