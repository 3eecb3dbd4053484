-- Claims event keys and returns those that are new, with the clock that everything else in the transaction goes by.
insert into inbound_keys (integration_id, key_sha256, log_id)
select integration_id, key_sha256, log_id::uuid
from unnest($1::text[], $2::bytea[], $3::text[]) as offered (integration_id, key_sha256, log_id)
order by integration_id, key_sha256
on conflict (integration_id, key_sha256) do nothing
returning integration_id, key_sha256
