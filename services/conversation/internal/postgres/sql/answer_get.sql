select request_id, text, through_position, reply_to, language from messages where id = $1
