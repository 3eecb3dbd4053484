-- What is null stays. Who enables it again has seen why it was disabled.
update subscriptions set
    url = coalesce($2, url), event_types = coalesce($3, event_types), integration_id = coalesce($4, integration_id),
    enabled = coalesce($5, enabled), disabled_cause = case when $5 is null then disabled_cause else '' end, update_time = now()
where id = $1
returning id, url, event_types, integration_id, enabled, disabled_cause, create_time, update_time
