-- Up to as many as are allowed; two at once may make one more.
insert into subscriptions (id, url, event_types, integration_id, enabled, secret)
select $1, $2, $3, $4, $5, $6
where (select count(*) from subscriptions) < $7
returning id, url, event_types, integration_id, enabled, disabled_cause, create_time, update_time
