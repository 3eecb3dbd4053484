select m.id, m.position, coalesce(m.user_id::text, '') as user_id, m.text, m.sentence, m.language, m.platform_message_id
from messages m
where m.conversation_id = $1 and m.position between $2 and $3 and m.state = 'open'
order by m.position
limit $4
