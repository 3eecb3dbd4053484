-- The subscriber wants no more.
update subscriptions set enabled = false, disabled_cause = $2, update_time = now() where id = $1 and enabled
