insert into erasures (user_id, integration_id, platform, username, external_ids, phones) values ($1, $2, $3, $4, $5, $6)
