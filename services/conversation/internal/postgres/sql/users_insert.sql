-- Makes users. One whose username is taken is left out and tried again with a suffix.
insert into users (id, integration_id, platform, username, role, display_name, external_id, phone)
select id::uuid, integration_id, platform, username, role, display_name, nullif(external_id, ''), nullif(phone, '')
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
    as made (id, integration_id, platform, username, role, display_name, external_id, phone)
order by username
on conflict (username) do nothing
returning id
