-- Only users whose row tells something else, or was not touched for an hour: a write per message would be waste.
update users u
set last_seen_time = now(), blocked = false,
    display_name = case when seen.display_name = '' then u.display_name else seen.display_name end
from (
    select u.id, offered.display_name
    from unnest($1::text[], $2::text[]) as offered (id, display_name)
    join users u on u.id = offered.id::uuid
    order by u.id
    for update of u
) as seen
where u.id = seen.id
