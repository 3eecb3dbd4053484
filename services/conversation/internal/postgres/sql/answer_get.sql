select request_id, text, through_position, reply_to, language, buttons from messages where id = $1
