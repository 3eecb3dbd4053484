select id, url, event_types, integration_id, enabled, disabled_cause, create_time, update_time from subscriptions where id = $1
