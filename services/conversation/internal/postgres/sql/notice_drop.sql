-- What it is about was erased.
delete from subscription_deliveries where id = $1 and lease_token = $2
