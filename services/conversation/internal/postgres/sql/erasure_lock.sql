select 1 from erasures where user_id = $1 and lease_token = $2 for update
