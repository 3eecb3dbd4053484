update turns set attempt = attempt + 1, last_error = $3, lease_token = null, lease_until = null,
                 due_at = greatest(due_at, now() + $4::float8 * interval '1 second')
where conversation_id = $1 and lease_token = $2
