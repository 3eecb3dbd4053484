update subscription_deliveries set lease_token = null, lease_until = null where id = $1 and lease_token = $2
