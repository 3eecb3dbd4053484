select m.id, m.position, coalesce(m.user_id::text, '') as user_id, m.text, m.sentence, m.language, m.platform_message_id,
       m.kind, m.details->'media' as media, m.media_id, m.media_size, m.media_error, m.transcript
from messages m
where m.conversation_id = $1 and m.position between $2 and $3 and m.state = 'open'
order by m.position
limit $4
