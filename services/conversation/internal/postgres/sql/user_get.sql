select id, integration_id, platform, username, role, display_name, coalesce(external_id, ''), coalesce(phone, ''), blocked, create_time
from users u where id = $1 and not exists (select from erasures e where e.user_id = u.id)
