update subscription_deliveries set
    failures = failures + 1, response_status = $3, last_error = $4,
    state = case when $6::bool then 'dead' else state end, finish_time = case when $6::bool then now() end,
    due_at = now() + $5::float8 * interval '1 second', lease_token = null, lease_until = null
where id = $1 and lease_token = $2
