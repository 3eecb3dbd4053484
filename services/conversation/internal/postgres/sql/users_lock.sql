-- Serialises who makes or changes a user with one of these keys. Sorted against deadlocks.
select pg_advisory_xact_lock(key) from (select key from unnest($1::bigint[]) as key order by key) as sorted
