select payloads_after, phones from erasures where user_id = $1
