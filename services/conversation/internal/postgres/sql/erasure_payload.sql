select body from webhook_payloads where sha256 = $1 for update
