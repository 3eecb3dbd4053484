-- The hash stays, so that the same bytes again are a repeat and not kept again.
update webhook_payloads set body = $2 where sha256 = $1
