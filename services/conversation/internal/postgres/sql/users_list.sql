select id, integration_id, platform, username, role, display_name, coalesce(external_id, ''), coalesce(phone, ''), blocked, create_time
from users u
where ($1 = '' or integration_id = $1) and ($2 = '' or platform = $2) and not exists (select from erasures e where e.user_id = u.id) and (create_time, id) < ($3::timestamptz, $4::uuid)
order by create_time desc, id desc
limit $5
