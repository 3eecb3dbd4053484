with forgotten as (
    delete from erased_messages where create_time < now() - $2::float8 * interval '1 second'
)
delete from erasures where done_time < now() - $1::float8 * interval '1 second'
