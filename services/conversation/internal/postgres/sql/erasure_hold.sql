-- A sign of life.
update erasures set lease_until = now() + $3::float8 * interval '1 second' where user_id = $1 and lease_token = $2
