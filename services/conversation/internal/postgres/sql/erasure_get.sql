select user_id, failures, error, create_time, done_time from erasures where user_id = $1
