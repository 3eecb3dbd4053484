select sha256, log_id from webhook_payloads where sha256 = any ($1::bytea[])
