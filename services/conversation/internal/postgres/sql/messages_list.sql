select id, position, role, kind, text, state, platform_message_id, create_time, delivery_state, maybe_duplicate,
       details->'media' as media, media_id, media_size, media_error, coalesce(transcript, '') as transcript
from messages where conversation_id = $1 and position > $2 order by position limit $3
