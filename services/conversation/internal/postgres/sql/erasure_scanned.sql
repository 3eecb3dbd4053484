update erasures set payloads_after = $3 where user_id = $1 and lease_token = $2
