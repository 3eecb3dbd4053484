select k.integration_id, k.key_sha256, k.log_id
from unnest($1::text[], $2::bytea[]) as wanted (integration_id, key_sha256)
join inbound_keys k using (integration_id, key_sha256)
