update users u set external_id = nullif(changed.external_id, ''), phone = nullif(changed.phone, ''),
                   phone_seen_time = case when changed.phone is distinct from u.phone then now() else u.phone_seen_time end
from unnest($1::text[], $2::text[], $3::text[]) as changed (id, external_id, phone)
where u.id = changed.id::uuid
