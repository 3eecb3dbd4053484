update subscriptions
set former_secret = secret, former_until = now() + $3::float8 * interval '1 second', secret = $2, update_time = now()
where id = $1
