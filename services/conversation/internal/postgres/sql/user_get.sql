select id, integration_id, platform, username, role, display_name, coalesce(external_id, ''), coalesce(phone, ''), blocked, create_time
from users where id = $1
