-- The buttons under messages of ours, and whose integration each is.
select m.id, c.integration_id, m.buttons
from messages m
join conversations c on c.id = m.conversation_id
where m.id = any($1::text[]::uuid[]) and m.buttons is not null and not m.deleted
