-- Due now, whatever became of it; one that is under way just now stays with who has it.
update subscription_deliveries set state = 'pending', failures = 0, due_at = now(), finish_time = null
where id = $1
