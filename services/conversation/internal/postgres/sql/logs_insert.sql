insert into webhook_logs (id, platform, event_type, response_status, payload_sha256, duplicate_of, error, remote_address)
select id::uuid, platform, event_type, response_status, payload_sha256, nullif(duplicate_of, '')::uuid, error, remote_address
from unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::bytea[], $6::text[], $7::text[], $8::text[])
    as received (id, platform, event_type, response_status, payload_sha256, duplicate_of, error, remote_address)
