with gone as (
    delete from media_fetches where message_id = $1 and lease_token = $2 returning message_id
)
update messages m set media_error = $3
from gone
where m.id = gone.message_id
