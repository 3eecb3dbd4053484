select exists (select from webhook_logs where id = $1)
