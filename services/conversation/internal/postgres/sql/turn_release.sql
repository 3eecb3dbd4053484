update turns set lease_token = null, lease_until = null where conversation_id = $1 and lease_token = $2
