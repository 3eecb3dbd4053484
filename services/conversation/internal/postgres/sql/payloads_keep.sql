-- Keeps each payload once and returns those that are new. Sorted, so that concurrent transactions wait and don't deadlock.
insert into webhook_payloads (sha256, log_id, body)
select sha256, log_id::uuid, body
from unnest($1::bytea[], $2::text[], $3::bytea[]) as offered (sha256, log_id, body)
order by sha256
on conflict (sha256) do nothing
returning sha256
