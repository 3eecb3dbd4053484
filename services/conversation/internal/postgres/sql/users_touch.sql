-- Only users whose row tells something else, or was not touched for an hour: a write per message would be waste.
update users u
set last_seen_time = now(), blocked = false, phone_hidden = seen.phone_hidden,
    phone_seen_time = case when seen.phone_hidden then u.phone_seen_time else now() end,
    display_name = case when seen.display_name = '' then u.display_name else seen.display_name end
from (
    select u.id, offered.display_name, offered.phone_hidden
    from unnest($1::text[], $2::text[], $3::bool[]) as offered (id, display_name, phone_hidden)
    join users u on u.id = offered.id::uuid
    order by u.id
    for update of u
) as seen
where u.id = seen.id
