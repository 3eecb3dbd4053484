update users set phone = $3 where integration_id = $1 and phone = $2
