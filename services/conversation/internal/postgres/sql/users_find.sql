-- Users by either of their keys, or by a BSUID that they had before. Index scans each; an `or` would be none.
select u.id, u.integration_id, coalesce(u.external_id, '') as external_id, coalesce(u.phone, '') as phone,
       u.phone_seen_time, u.last_seen_time, u.display_name, u.blocked, u.phone_hidden, '' as former
from unnest($1::text[], $2::text[]) as wanted (integration_id, external_id)
join users u on u.integration_id = wanted.integration_id and u.external_id = wanted.external_id
union
select u.id, u.integration_id, coalesce(u.external_id, ''), coalesce(u.phone, ''),
       u.phone_seen_time, u.last_seen_time, u.display_name, u.blocked, u.phone_hidden, ''
from unnest($3::text[], $4::text[]) as wanted (integration_id, phone_key)
join users u on u.integration_id = wanted.integration_id and u.phone_key = wanted.phone_key
union
select u.id, u.integration_id, coalesce(u.external_id, ''), coalesce(u.phone, ''),
       u.phone_seen_time, u.last_seen_time, u.display_name, u.blocked, u.phone_hidden, f.external_id
from unnest($1::text[], $2::text[]) as wanted (integration_id, external_id)
join former_ids f on f.integration_id = wanted.integration_id and f.external_id = wanted.external_id
join users u on u.id = f.user_id and u.external_id is not null
