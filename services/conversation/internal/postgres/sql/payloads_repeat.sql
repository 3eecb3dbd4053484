-- Of a repeat in other bytes only the hash is kept: what it says was kept once, or erased since.
update webhook_payloads set body = '' where sha256 = any ($1::bytea[])
