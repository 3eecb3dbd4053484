update erasures set channels_time = now() where user_id = $1 and lease_token = $2
