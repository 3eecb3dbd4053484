with gone as (
    delete from media_fetches where message_id = $1 and lease_token = $2 returning message_id
)
update messages m set media_id = $3, media_size = $4, media_error = ''
from gone
where m.id = gone.message_id
