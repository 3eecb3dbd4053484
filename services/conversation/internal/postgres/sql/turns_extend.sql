-- One sign of life for all leases of a worker. What does not come back is lost.
update turns t set lease_until = now() + $3::float8 * interval '1 second'
from (
    select t.conversation_id
    from unnest($1::text[], $2::text[]) as held (conversation_id, lease_token)
    join turns t on t.conversation_id = held.conversation_id::uuid and t.lease_token = held.lease_token::uuid
    order by t.conversation_id
    for update of t
) as mine
where t.conversation_id = mine.conversation_id
returning t.conversation_id
