update users set phone = $3, phone_seen_time = now() where integration_id = $1 and phone_key = $2
