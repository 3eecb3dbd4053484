update turns set lease_token = null, lease_until = null,
                 due_at = greatest(due_at, now() + $3::float8 * interval '1 second')
where conversation_id = $1 and lease_token = $2
