update media_fetches set failures = failures + $4::int, due_at = now() + $3::float8 * interval '1 second',
                         lease_token = null, lease_until = null
where message_id = $1 and lease_token = $2
