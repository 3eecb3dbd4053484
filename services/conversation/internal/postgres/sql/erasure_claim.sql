with due as (
    select user_id from erasures where done_time is null and due_at <= now() and (lease_until is null or lease_until < now())
    order by due_at limit 1 for update skip locked
)
update erasures e set lease_token = gen_random_uuid(), lease_until = now() + $1::float8 * interval '1 second'
from due
where e.user_id = due.user_id
returning e.user_id, e.integration_id, e.platform, e.external_ids, e.phones, e.username, e.channels_time is not null, e.failures, e.lease_token
