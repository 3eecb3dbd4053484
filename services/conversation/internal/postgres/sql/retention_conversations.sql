-- Conversations in which something is too old, a few at a time. What is being answered is left for the next time.
select c.id
from conversations c
left join lateral (
    select m.create_time from messages m where m.conversation_id = c.id order by m.position limit 1
) as first on true
where c.integration_id = $1 and c.create_time < now() - $2::float8 * interval '1 second'
  and coalesce(first.create_time, c.last_message_time) < now() - $2::float8 * interval '1 second'
  and not exists (select from turns t where t.conversation_id = c.id)
order by c.create_time
limit $3
for update of c skip locked
