---- tern: disable-tx ----
-- What the list of deliveries is searched by. These tables are large where much comes in, so nothing waits for the indexes; a
-- build that was broken off leaves an index that is not used, which goes first. A log's id is a UUID of version 7, so the order
-- of ids is that of time.

drop index concurrently if exists webhook_logs_type;
create index concurrently webhook_logs_type on webhook_logs (event_type, create_time desc, id desc);
drop index concurrently if exists webhook_events_integration;
create index concurrently webhook_events_integration on webhook_events (integration_id, log_id);
-- What becomes of nearly every event needs no index to be found. webhook_events_dead is a part of this one, and goes with the
-- next release.
drop index concurrently if exists webhook_events_odd;
create index concurrently webhook_events_odd on webhook_events (outcome, log_id)
    where outcome not in ('open', 'answered', 'recorded', 'duplicate');

---- create above / drop below ----

drop index webhook_events_odd, webhook_events_integration, webhook_logs_type;
