update users set phone = null where id = any ($1::text[]::uuid[])
