delete from messages where id = any ($1::text[]::uuid[])
