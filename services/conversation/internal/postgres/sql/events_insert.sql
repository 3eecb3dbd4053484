insert into webhook_events (log_id, ordinal, integration_id, kind, message_id, outcome, error, processed_time)
select log_id::uuid, ordinal, integration_id, kind, nullif(message_id, '')::uuid, outcome, error,
       case when outcome = 'open' then null else now() end
from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
    as reported (log_id, ordinal, integration_id, kind, message_id, outcome, error)
on conflict (log_id, ordinal) do nothing
