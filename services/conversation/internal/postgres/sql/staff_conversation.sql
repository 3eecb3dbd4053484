-- A conversation that staff deal with, locked, and whether its window is closed.
select closed_time is not null,
       platform = 'whatsapp' and coalesce(last_customer_time + $2::float8 * interval '1 second' <= now(), true)
from conversations
where id = $1
for update
