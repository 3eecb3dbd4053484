select id, conversation_id, through_position, language from messages
where request_id = $1 and purpose = 'reply' and state = 'sent'
