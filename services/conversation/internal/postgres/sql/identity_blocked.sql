update users set blocked = $3 where integration_id = $1 and (external_id = $2 or phone = $2)
