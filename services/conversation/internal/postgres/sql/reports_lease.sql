insert into report_leases (integration_id, lease_token, lease_until)
values ($1, gen_random_uuid(), now() + $2::float8 * interval '1 second')
on conflict (integration_id) do update set lease_token = excluded.lease_token, lease_until = excluded.lease_until
where report_leases.lease_until < now()
returning lease_token, failures
