update messages set media_id = $3, media_size = $4, media_error = '', transcript = $5 where conversation_id = $1 and id = $2
