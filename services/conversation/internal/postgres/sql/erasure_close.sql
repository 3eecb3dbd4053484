update conversations set closed_time = coalesce(closed_time, now()), held_from = null where id = any ($1::text[]::uuid[])
