with waiting as (
    delete from turns where conversation_id = any ($1::text[]::uuid[])
)
delete from conversations where id = any ($1::text[]::uuid[])
