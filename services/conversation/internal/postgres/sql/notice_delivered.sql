update subscription_deliveries
set state = 'delivered', response_status = $3, last_error = '', finish_time = now(), lease_token = null, lease_until = null
where id = $1 and lease_token = $2
