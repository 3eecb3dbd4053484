update subscription_deliveries set state = 'pending', failures = 0, due_at = now(), finish_time = null
where id = $1 and state <> 'pending'
