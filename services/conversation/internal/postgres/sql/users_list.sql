select id, integration_id, platform, username, role, display_name, coalesce(external_id, ''), coalesce(phone, ''), blocked, create_time
from users
where ($1 = '' or integration_id = $1) and ($2 = '' or platform = $2) and (create_time, id) < ($3::timestamptz, $4::uuid)
order by create_time desc, id desc
limit $5
