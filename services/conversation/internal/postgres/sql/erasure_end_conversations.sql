-- What subscribers were told of them goes by a scan: it is kept for days, and an index would be written for every message.
with waiting as (
    delete from turns where conversation_id = any ($1::text[]::uuid[])
), told as (
    delete from subscription_deliveries where conversation_id = any ($1::text[]::uuid[])
)
delete from conversations where id = any ($1::text[]::uuid[])
