update erasures set lease_token = null, lease_until = null, due_at = now() + $3::float8 * interval '1 second', failures = failures + $4::int, error = $5
where user_id = $1 and lease_token = $2
