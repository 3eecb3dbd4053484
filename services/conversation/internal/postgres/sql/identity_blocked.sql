update users set blocked = $3 where integration_id = $1 and external_id = $2 and blocked <> $3
