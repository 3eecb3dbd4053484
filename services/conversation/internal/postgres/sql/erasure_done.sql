update erasures set done_time = now(), external_ids = '{}', phones = '{}', username = '', error = '', failures = 0,
                    lease_token = null, lease_until = null
where user_id = $1 and lease_token = $2
